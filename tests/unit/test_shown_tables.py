"""What verbs draw of the API's answers."""

import io
from typing import Any

import pytest
from rich.console import Console, RenderableType

from cli.render.datasets import dataset_preview, deleted
from cli.render.estimators import estimator_details


def drawn(content: RenderableType, width: int) -> list[str]:
    file = io.StringIO()
    Console(file=file, width=width, markup=False, highlight=False, emoji=False).print(content)
    return [line.rstrip() for line in file.getvalue().splitlines()]


PREVIEW = {"columns": ["id", "name", "far"], "rows": [[1, "x" * 40, 2.5], [2, None, True]]}


def test_a_preview_in_a_pipe_has_every_column() -> None:
    lines = drawn(dataset_preview(PREVIEW), 1000)
    assert [line.split() for line in lines] == [["id", "name", "far"], ["1", "x" * 40, "2.5"], ["2", "-", "true"]]


def test_a_preview_at_a_terminal_names_the_columns_that_do_not_fit() -> None:
    # Two and thirty for the columns, one between them; the third would need five more.
    lines = drawn(dataset_preview(PREVIEW), 37)
    assert lines[0].split() == ["id", "name"]
    assert lines[1].split()[-1] + lines[2].split()[-1] == "x" * 40
    assert max(map(len, lines[:4])) <= 37
    assert " ".join(lines[-2:]) == "1 more column: far. A pipe and --json get all."
    assert drawn(dataset_preview(PREVIEW), 38)[0].split() == ["id", "name", "far"]


def test_a_preview_shows_the_first_column_however_narrow_the_terminal_is() -> None:
    assert drawn(dataset_preview({"columns": ["measurements"], "rows": [[1]]}), 5)[0]


ALLOWED: dict[str, tuple[list[dict[str, Any]], str]] = {
    "a number with limits": ([{"type": "number", "minimum": 0.0, "maximum": 0.5}], "number from 0 to 0.5"),
    "a number without its limits": (
        [{"type": "number", "exclusiveMinimum": 0.0, "exclusiveMaximum": 1}],
        "number above 0 below 1",
    ),
    "a whole number without end": (
        [{"type": "integer", "minimum": 1, "maximum": 2**53 - 1}, {"type": "null"}],
        "whole number from 1 | null",
    ),
    "a large number": ([{"type": "integer", "maximum": 4294967295}], "whole number to 4,294,967,295"),
    "words": ([{"type": "string", "enum": ["gini", "entropy"]}, {"type": "boolean"}], "gini, entropy | true or false"),
    "a note": (
        [{"const": "deprecated", "description": "Stands for the default."}],
        "deprecated (Stands for the default)",
    ),
    "something new": ([{"anyOf": []}], '{"anyOf": []}'),
}


@pytest.mark.parametrize(("allowed", "words"), ALLOWED.values(), ids=ALLOWED.keys())
def test_what_a_parameter_may_be_is_told_in_words(allowed: list[dict[str, Any]], words: str) -> None:
    estimator = {
        "module": "svm",
        "class": "SVC",
        "summary": "It parts classes.",
        "task": "classification",
        "takes_missing": False,
        "needs_scaling": True,
        "inputs_not_negative": False,
        "gives_probabilities": False,
        "parameters": [{"name": "C", "default": None, "allowed": allowed}],
    }
    lines = drawn(estimator_details(estimator), 1000)
    assert f"C          null     {words}" in lines
    assert lines[-1] == "Next: mlmini train DATASET --target COLUMN --model svm.SVC --param NAME=VALUE"


def test_an_archived_dataset_is_told_how_to_come_back() -> None:
    assert deleted({"name": "iris", "done": "deleted"}) == "Dataset iris is deleted."
    assert (
        deleted({"name": "iris", "done": "archived"})
        == "Dataset iris is archived. An upload of that name brings it back."
    )
