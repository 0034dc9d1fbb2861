"""Cells of CSV as the values that a signature asks for."""

import json
from typing import Any

import pytest

from shared.estimators.signature import InputColumn
from shared.prediction.written_cells import NotFinite, WrongCell, converter


def column(kind: str, **more: Any) -> InputColumn:
    return InputColumn(name="x", kind=kind, missing_allowed=True, **more)


CELLS: list[tuple[InputColumn, str, object]] = [
    (column("integer"), " 7 ", 7),
    (column("integer"), "7.5", 7.5),
    (column("number"), "1e3", 1000.0),
    (column("number"), " NA ", None),
    (column("number"), "?", None),
    (column("boolean"), "TRUE", True),
    (column("boolean"), "false", False),
    (column("category", categories=["a", "b"]), "7", "7"),
    (column("category", categories=["a", "b"]), " a ", " a "),
    (column("category", categories=[1, 2.5, True]), "2.5", 2.5),
    (column("category", categories=[1, 2.5, True]), "True", True),
    (column("category", categories=[1, 2.5, True]), "new", "new"),
    (column("text"), "n/a", None),
    (column("text"), " as it is ", " as it is "),
    (column("datetime"), " 2026-01-31 ", "2026-01-31"),
    (column("number", used=False), "anything", None),
]


@pytest.mark.parametrize(("signature", "text", "value"), CELLS, ids=[f"{one[0].kind} {one[1]!r}" for one in CELLS])
def test_a_cell_becomes_what_the_signature_asks_for(signature: InputColumn, text: str, value: object) -> None:
    found = converter(signature, decimal_comma=False)(text)
    assert (found, type(found)) == (value, type(value))
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize(
    ("kind", "text"), [("integer", "seven"), ("number", "1_000"), ("number", "1,5"), ("boolean", "yes")]
)
def test_a_cell_of_another_kind_is_told(kind: str, text: str) -> None:
    with pytest.raises(WrongCell, match=text):
        converter(column(kind), decimal_comma=False)(text)


@pytest.mark.parametrize("kind", ["integer", "number"])
@pytest.mark.parametrize("text", ["inf", "-inf", " Infinity ", "1e400", "-1e999", "9" * 400])
def test_an_infinite_number_is_told_from_a_missing_one(kind: str, text: str) -> None:
    with pytest.raises(NotFinite, match=f"'{text.strip()[:40]}' is infinite or too large"):
        converter(column(kind), decimal_comma=False)(text)


def test_a_comma_is_a_point_where_it_parts_no_columns() -> None:
    assert converter(column("number"), decimal_comma=True)("-1,5") == -1.5
