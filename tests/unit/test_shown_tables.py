"""What verbs draw of the API's answers."""

import io
from typing import Any

import pytest
from rich.console import Console, RenderableType

from cli.render.datasets import dataset_preview, dataset_profile, deleted
from cli.render.estimators import estimator_details
from cli.render.models import model_list
from cli.render.output import Output
from cli.render.report import model_report
from cli.render.table import table
from shared.evaluation.assessment import Assessment
from tests.support.assessments import (
    BASELINE,
    BASELINE_OF_NUMBERS,
    METRICS,
    OF_NUMBERS,
    document_of,
    of_labels,
    of_numbers,
)


def drawn(content: RenderableType, width: int) -> list[str]:
    file = io.StringIO()
    Console(file=file, width=width, markup=False, highlight=False, emoji=False).print(content)
    return [line.rstrip() for line in file.getvalue().splitlines()]


PREVIEW = {"columns": ["id", "name", "far"], "rows": [[1, "x" * 40, 2.5], [2, None, True]]}


def test_a_preview_in_a_pipe_has_every_column() -> None:
    lines = drawn(dataset_preview(PREVIEW), 1000)
    assert [line.split() for line in lines] == [["id", "name", "far"], ["1", "x" * 40, "2.5"], ["2", "missing", "true"]]


# A value of JSON, and what a preview shows of it.
EXACT: dict[str, tuple[object, str]] = {
    "all digits of a float": (198.85, "198.85"),
    "a float that is whole": (12345.0, "12345.0"),
    "a small float": (1.5e-07, "1.5e-07"),
    "a large whole number": (2**60 + 1, str(2**60 + 1)),
    "a truth": (False, "false"),
    "nothing": (None, "missing"),
    "the sign that stands for nothing elsewhere": ("-", "-"),
    "the word that stands for nothing here": ("missing", '"missing"'),
    "an empty text": ("", '""'),
    "blanks only": ("  ", '"  "'),
    "a blank behind": ("berlin ", '"berlin "'),
    "a blank in front": (" berlin", '" berlin"'),
    "a blank within": ("new  york", "new  york"),
    "quotes": ('"a"', r'"\"a\""'),
    "a quote within": ('5" pipe', '5" pipe'),
    "line breaks": ("a\nb\tc", r'"a\nb\tc"'),
    "what looks like a line break": (r"a\nb", r"a\nb"),
    "what would steer a terminal": ("\x1b[2J", r'"\u001b[2J"'),
}


@pytest.mark.parametrize(("value", "text"), EXACT.values(), ids=EXACT)
def test_a_preview_shows_a_value_as_it_is(value: object, text: str) -> None:
    assert drawn(dataset_preview({"columns": ["a"], "rows": [[value]]}), 1000) == ["a", text]


def test_a_terminal_shows_what_is_missing_dimly() -> None:
    file = io.StringIO()
    console = Console(file=file, width=80, force_terminal=True, color_system="standard")
    console.print(dataset_preview({"columns": ["a"], "rows": [[None]]}))
    assert "\x1b[2mmissing\x1b[0m" in file.getvalue()


def test_the_limits_and_examples_of_a_column_are_values_of_it() -> None:
    def column(**more: object) -> dict[str, object]:
        return {"name": "a", "missing": 0, "unique": 2, "examples": [], **more}

    columns = [
        column(kind="number", min=0.123456, max=198.85, mean=99.486728),
        column(kind="integer", min=1.0, max=120000.0, mean=60000.5),
        column(kind="category", examples=["a", "b "]),
    ]
    about = dict.fromkeys(["name", "format", "location", "sha256", "description"], "x")
    reading = {"format": "csv", "delimiter": "\t", "encoding": "latin-1", "compression": None}
    profile = {
        **about,
        "reading": reading,
        "links": {"profile": "/datasets/x/profile"},
        "version": 1,
        "rows": 2,
        "size_bytes": 9,
        "updated_at": "2026-01-31T12:00:00Z",
    }
    lines = drawn(dataset_profile({**profile, "columns": columns}), 1000)
    assert "Read as      csv with a tab between cells, latin-1" in lines
    assert [line.split("  ")[-1].strip() for line in lines[-3:]] == [
        "0.123456 to 198.85, mean 99.49",
        "1 to 120000, mean 60,000",
        'a, "b "',
    ]


def test_a_pipe_gets_whole_lines_however_many_columns_there_are(capfd: pytest.CaptureFixture[str]) -> None:
    names = [f"{n}_{'x' * 60}" for n in range(2000)]
    Output().show(dataset_preview({"columns": names, "rows": [["y" * 70] * len(names)]}))
    lines = capfd.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [names, ["y" * 70] * len(names)]


@pytest.mark.parametrize("width", [64, 72, 80, 90, 100, 120])
def test_lists_are_wrapped_between_words(width: int) -> None:
    model = {
        "version": 12,
        "dataset_name": "penguins",
        "target": "body_mass_g",
        "estimator": "ensemble.HistGradientBoostingClassifier",
        "deployments": [{"stage": stage, "active": True} for stage in ("dev", "staging", "production")],
        "metrics": {"accuracy": 0.96666},
        "trained_at": "2026-01-01T00:00:00Z",
    }
    lines = drawn(model_list({"items": [model]}), width)
    words = {word for line in lines for word in line.split()}
    assert max(map(len, lines)) <= width
    assert {"HistGradientBoostingClassifier", "production", "penguins"} <= words
    assert {"accuracy", "0.9667"} <= words or "metric" not in words


def test_a_long_name_is_broken_before_a_column_is_left_out() -> None:
    lines = drawn(table(["Name", "Kind"], [["x" * 40, "promote"]], whole=["Kind"], dropped=["Kind"]), 30)
    assert [line.split() for line in lines] == [["Name", "Kind"], ["x" * 21, "promote"], ["x" * 19]]
    lines = drawn(table(["Name", "Kind"], [["x" * 40, "promote"]], whole=["Kind"], dropped=["Kind"]), 19)
    assert [line.split() for line in lines] == [["Name"], ["x" * 19], ["x" * 19], ["xx"]]


def test_a_preview_at_a_terminal_names_the_columns_that_do_not_fit() -> None:
    # Two, thirty and four for the columns, and two between each of them and the next.
    lines = drawn(dataset_preview(PREVIEW), 39)
    assert lines[0].split() == ["id", "name"]
    assert lines[1].split()[-1] + lines[2].split()[-1] == "x" * 40
    assert max(map(len, lines[:4])) <= 39
    assert " ".join(lines[-2:]) == "1 more column: far. A pipe and --json get all."
    assert drawn(dataset_preview(PREVIEW), 40)[0].split() == ["id", "name", "far"]


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
    "a model": (
        [{"type": "object", "x-model": "classification"}, {"type": "null"}],
        'classifier {"module": ..., "class": ..., "params": ...} | null',
    ),
    "models with names": (
        [{"type": "array", "x-model": "regression"}],
        '[[name, regressor {"module": ..., "class": ..., "params": ...}], ...]',
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


def test_a_parameter_without_a_default_must_be_given() -> None:
    estimator = {
        "module": "multiclass",
        "class": "OneVsRestClassifier",
        "summary": "One for each class.",
        "task": "classification",
        "takes_missing": True,
        "needs_scaling": False,
        "inputs_not_negative": False,
        "gives_probabilities": True,
        "parameters": [{"name": "estimator", "default": None, "required": True, "allowed": [{"type": "boolean"}]}],
    }
    assert "estimator  must be given  true or false" in drawn(estimator_details(estimator), 1000)


def test_an_archived_dataset_is_told_how_to_come_back() -> None:
    assert deleted({"name": "iris", "done": "deleted"}) == "Dataset iris is deleted."
    assert (
        deleted({"name": "iris", "done": "archived"})
        == "Dataset iris is archived. An upload of that name brings it back."
    )


def test_a_report_tells_the_main_parts_as_tables() -> None:
    document = document_of(of_labels("no", "yes"), METRICS, BASELINE)
    lines = [line.split() for line in drawn(model_report(document), 1000)]
    assert ["accuracy", "0.9123", "0.8584", "to", "0.9558", "0.6267"] in lines
    assert ["f1_macro", "0.8912", "-", "0.3852"] in lines
    assert ["mean", "radius", "0.195", "0.01911"] in lines
    assert ["no", "40", "2"] in lines
    assert ["yes", "0.9", "0.85", "0.874", "42"] in lines
    assert ["shape", "oval", "33", "0.819"] in lines
    assert ["17", "no", "yes", "0.98", "17.25", "oval"] in lines
    assert ["accuracy", "0.907", "0.01138"] in lines
    assert ["Few", "rows", "of", "'rare'", "to", "measure", "on:", "3."] in lines
    assert ["id", "integer", "left", "out:", "every", "value", "is", "another"] in lines


def test_a_report_of_numbers_tells_how_far_they_are_off() -> None:
    text = "\n".join(drawn(model_report(document_of(of_numbers(), OF_NUMBERS, BASELINE_OF_NUMBERS)), 1000))
    assert "Actual less predicted" in text
    assert "90% at most   88.1" in text
    assert "missing" in text
    assert "Confusion matrix" not in text


def test_a_report_of_an_older_release_has_its_metrics_and_says_why() -> None:
    note = "POST /jobs/7-a/retry trains the same again, as a new version that has them."
    document = document_of(Assessment(notes=[note]), METRICS, {}) | {"rows": None, "baseline": None, "columns": []}
    text = "\n".join(drawn(model_report(document), 1000))
    assert "`mlmini jobs retry 7-a` trains the same again" in text
    assert "Importance" not in text


def test_a_long_report_is_cut_with_a_count() -> None:
    document = document_of(of_labels(*range(30)), METRICS, BASELINE)
    text = "\n".join(drawn(model_report(document), 1000))
    assert "Labels, the first 20 of 30" in text
    assert "It has 30 labels" in text
