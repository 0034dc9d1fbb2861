"""Columns that messages of other protocols name, and the types of what a model answers."""

from typing import Any

import pytest

from api.protocols.columns import found_columns
from api.protocols.v2.outputs import label_type
from api.protocols.v2.rows import rows_of
from api.protocols.v2.tensors import Tensor
from shared.errors import BodyTooLarge, InvalidInput
from shared.estimators.signature import InputColumn, Signature
from shared.prediction.problems import InputProblems
from shared.tables.columns import CellReading, ColumnKind


def signature_of(*names: str, rules: Any = 1, task: Any = "classification", classes: Any = None) -> Signature:
    """A model of numbers, of a table that was read by the newest rules or by older ones."""
    cells = CellReading(kind=ColumnKind.NUMBER, rules=rules) if rules > 1 else None
    inputs = [InputColumn(name=name, kind="number", missing_allowed=True, cells=cells) for name in names]
    return Signature(inputs=inputs, target="target", task=task, classes=classes, numeric=True)


def found(signature: Signature, *names: str) -> tuple[dict[str, int], list[str]]:
    problems, warnings = InputProblems("body"), list[str]()
    columns = found_columns(signature, names, version=1, word="column", problems=problems, warnings=warnings)
    problems.raise_if_any()
    return columns, warnings


def test_columns_are_found_wherever_they_stand() -> None:
    assert found(signature_of("a", "b"), "b", "a") == ({"b": 0, "a": 1}, [])


def test_columns_are_found_by_the_names_of_the_file_where_the_table_was_read_so() -> None:
    assert found(signature_of("\u00e9", rules=2), " e\u0301\u200b") == ({"\u00e9": 0}, [])
    with pytest.raises(InvalidInput, match="has no column"):
        found(signature_of("\u00e9"), "e\u0301")


def test_what_is_left_out_or_ignored_is_told() -> None:
    assert found(signature_of("a", "b", "c"), "target", "b") == (
        {"target": 0, "b": 1},
        [
            "The column 'target' is what the model predicts: it was ignored.",
            "The columns lack a, c: the values there are taken as missing.",
        ],
    )


def test_rows_are_not_made_where_there_would_be_too_many() -> None:
    rows = 2**40

    class Endless(list[Any]):
        def __iter__(self) -> Any:
            raise AssertionError("the values are looked at")

    tensor = Tensor("a", (rows,), Endless())
    with pytest.raises(BodyTooLarge, match=f"has {2 * rows} cells"):
        rows_of(signature_of("a", "b"), [tensor], version=1, max_cells=100, warnings=[])


@pytest.mark.parametrize(
    ("classes", "datatype"),
    [
        (["a", "b"], "BYTES"),
        ([0, 1], "INT64"),
        ([0, 2**63], "UINT64"),
        ([-1, 2**63], "BYTES"),
        ([False, True], "BOOL"),
        ([0.5, 1], "FP64"),
        ([True, 1.5], "BYTES"),
        (["a", 1], "BYTES"),
        ([], "BYTES"),
        (None, "BYTES"),
    ],
)
def test_predictions_are_of_the_type_that_holds_all_labels(classes: Any, datatype: str) -> None:
    assert label_type(signature_of("a", classes=classes)) == datatype
    assert label_type(signature_of("a", task="regression")) == "FP64"
