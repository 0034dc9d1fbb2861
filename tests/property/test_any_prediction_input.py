"""Whatever JSON is sent as input, it is taken or refused with a sentence; nothing else happens."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import PlatformError
from shared.estimators.signature import InputColumn, Signature
from shared.prediction.input_warnings import InputWarnings
from shared.tables.columns import CellReading, ColumnKind
from tests.support.inputs import read_input

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**400), 10**400)
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(
        ["2026-01-31", "2026-W05-1", "20260131T10", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]
    )
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abx") | st.text(), inner, max_size=4),
    max_leaves=15,
)
KINDS = st.sampled_from(["integer", "number", "boolean", "category", "text", "datetime"])
READINGS = st.none() | st.builds(
    CellReading,
    kind=st.just(ColumnKind.TEXT),
    typed=st.booleans(),
    decimal=st.sampled_from([".", ","]),
    format=st.sampled_from([None, "percent", "currency", "words", "dmy"]),
    gap_words=st.none() | st.just(("a",)),
)
CATEGORIES = st.none() | st.lists(st.text(max_size=3) | st.integers(), max_size=3)


@st.composite
def signatures(draw: st.DrawFn) -> Signature:
    numeric = draw(st.booleans())
    inputs = [
        _read_as(
            draw(READINGS),
            InputColumn(
                name=name,
                kind="number" if numeric else draw(KINDS),
                missing_allowed=draw(st.booleans()),
                categories=draw(CATEGORIES),
                used=numeric or name == "a" or draw(st.booleans()),
            ),
        )
        for name in draw(st.sampled_from(["a", "ab", "abc"]))
    ]
    return Signature(inputs=inputs, target="x", task="regression", classes=None, numeric=numeric)


def _read_as(cells: CellReading | None, column: InputColumn) -> InputColumn:
    if cells is None:
        return column
    return column.model_copy(update={"cells": cells.model_copy(update={"kind": ColumnKind(column.kind)})})


def outcome(signature: Signature, features: Any, records: Any) -> Any:
    """What the input becomes, or the error."""
    try:
        return read_input(
            signature, version=1, features=features, records=records, max_cells=20, warnings=InputWarnings()
        )
    except PlatformError as refused:
        return refused


def check_outcome(signature: Signature, features: Any, records: Any) -> None:
    taken = outcome(signature, features, records)
    if isinstance(taken, PlatformError):
        assert taken.detail
        assert all(problem["loc"][:2] == ["body", "input_data"] for problem in taken.errors)
        assert "".join(problem["msg"] for problem in taken.errors).encode()
        return
    assert len(taken) == len(features if records is None else records)
    if signature.numeric and not any(column.missing_allowed for column in signature.inputs):
        assert np.isfinite(taken).all()


@given(signatures(), JSON, JSON)
def test_any_json_is_taken_or_refused(signature: Signature, features: Any, records: Any) -> None:
    check_outcome(signature, features, records)


@given(signatures(), st.data())
def test_rows_of_the_right_shape_are_taken_or_refused(signature: Signature, data: st.DataObject) -> None:
    width = len(signature.inputs)
    rows = data.draw(st.lists(st.lists(SCALARS, min_size=width, max_size=width), min_size=1, max_size=4))
    check_outcome(signature, rows, None)
    names = [column.name for column in signature.inputs]
    check_outcome(signature, None, [dict(zip(names, row, strict=True)) for row in rows])


@given(st.lists(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=2), min_size=1))
def test_positions_and_names_mean_the_same(rows: list[list[float]]) -> None:
    inputs = [InputColumn(name=name, kind="number", missing_allowed=False) for name in "ab"]
    signature = Signature(inputs=inputs, target="x", task="regression", classes=None, numeric=True)
    by_position = read_input(
        signature, version=1, features=rows, records=None, max_cells=1000, warnings=InputWarnings()
    )
    records = [{"b": b, "a": a} for a, b in rows]
    by_name = read_input(signature, version=1, features=None, records=records, max_cells=1000, warnings=InputWarnings())
    assert (by_position == by_name).all()
    assert by_position.tolist() == rows
