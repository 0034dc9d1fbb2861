"""The same cells mean the same in training and in every way to predict: a table's own raw rows are predicted back."""

import csv
import datetime as dt
import io
import json
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import pytest

from shared.prediction.computing import FittedModel
from shared.prediction.csv_input import CsvInput
from shared.prediction.csv_reading import LearntReading, how_to_read, how_to_read_guessed
from shared.prediction.input_warnings import InputWarnings
from shared.prediction.predictor import Predictor
from shared.prediction.problems import InputProblems
from shared.tables.inspected import TableLimits
from shared.tables.inspection import inspect
from shared.tables.loading import read_table
from shared.tables.options import ReadingOptions
from shared.tables.text import NotUtf8
from shared.training.frame import forget_names, model_input
from shared.training.trainer import train
from tests.support.inputs import read_input
from tests.support.training_tables import spec_of
from tests.support.workbooks import workbook

TREE = "tree.DecisionTreeClassifier"
LIMITS = TableLimits()


class Case(NamedTuple):
    """A table whose first column is looked at; a second one and the target come beside it."""

    cells: list[str]
    kind: str
    delimiter: str = ","
    decimal: str = "."
    encoding: str = "utf-8"
    options: ReadingOptions = ReadingOptions()
    # What stands before the names, below them and behind each row.
    before: str = ""
    below: str = ""
    ending: str = ""
    quote: str | None = '"'
    has_names: bool = True


NAMELESS = ReadingOptions.model_validate({"header": "none", "names": ["x", "y", "target"]})

CASES = {
    "plain numbers": Case(["1", "2.5", "-3", "+4.25", ".5", "6.", "1e3"], "number"),
    "whole numbers with gaps": Case(["1", "NA", "", "3", " 4 ", "-", "null"], "integer"),
    "numbers without end": Case(["1.5", "inf", "1e999", "-Infinity", "2.5"], "number"),
    "German numbers": Case(["1.234,56", "7,5", "-0,25", "12.345,00"], "number", ";", ","),
    "German numbers without thousands": Case(["1,5", "2,25", "-3,75", "k. A."], "number", ";", ","),
    "American numbers": Case(["1,234.50", "12.25", "-1,000.75"], "number", ";"),
    "Swiss numbers": Case(["1'234.5", "12.5", "1'000'000.25"], "number"),
    "blanks between thousands": Case(["1 234", "12 345", "999"], "integer", ";"),
    "a typographer's minus": Case(["\u22121.5", "2.5", "\u22123.5"], "number"),
    "prices": Case(["$1200.50", "$5", "$12.75"], "number"),
    "shares": Case(["12%", "12.5%", "7 %"], "number"),
    "accountants' numbers": Case(["(5.50)", "12.25", "(1.75)"], "number"),
    "errors of a spreadsheet": Case(["1.5", "2.5", "3.5", "4.5", "5.5", "6.5", "7.5", "#DIV/0!"], "number"),
    "words that look like gaps": Case(["FR", "NA", "DE", "None", "?", "", " FR ", "unknown"], "category"),
    "words that were said to be gaps": Case(
        ["FR", "NA", "DE", "gone", ""], "category", options=ReadingOptions(gap_words=["gone"])
    ),
    "composed and decomposed words": Case(["Besançon", "Besanc\u0327on", "Köln", "Ko\u0308ln "], "category"),
    "blanks that do not break": Case(["\u00a0oak", "oak\u00a0", "elm", "a b"], "category"),
    "the word missing": Case(["missing", "", "infrequent_sklearn", "oak"], "category"),
    "codes": Case(["007", "0012", "08", ""], "category"),
    "truths": Case(["true", "FALSE", "True", "", "NA"], "boolean"),
    "dates": Case(["2026-01-31", "2026-02-28", "", "1969-12-31"], "datetime"),
    "dates with the day first": Case(["28.06.2023", "1.2.2024", "31.12.2022", ""], "datetime"),
    "dates with the month first": Case(
        ["06/28/2023", "1/2/2024"], "datetime", options=ReadingOptions(kinds={"x": "datetime:mdy"})
    ),
    "moments with a zone": Case(["2026-01-31T12:00:00+02:00", "2026-01-31T12:00:00Z"], "datetime"),
    "days that no calendar has": Case(
        ["2026-01-31", "2026-02-28", "2026-03-01", "2026-04-05", "0000-00-00"], "datetime"
    ),
    "letters of Windows": Case(["5 € flat", "„oak“", "Zürich"], "category", encoding="cp1252"),
    "UTF-16": Case(["Zürich", "Köln", "Besançon"], "category", encoding="utf-16"),
    "an encoding that was given": Case(
        ["Čapek", "Košice", "Žižka", "plain"], "category", encoding="cp1250", options=ReadingOptions(encoding="cp1250")
    ),
    "an encoding that was guessed": Case(["Łódź", "Čapek", "Świętość", "żółć"], "category", encoding="cp1250"),
    "UTF-16 without a mark": Case(
        ["Zürich", "Koln"], "category", encoding="utf-16-le", options=ReadingOptions(encoding="utf-16-le")
    ),
    "Japanese in seven bits": Case(
        ["東京", "大阪", "Kobe"], "category", encoding="iso2022_jp", options=ReadingOptions(encoding="iso2022_jp")
    ),
    "no quotes": Case(['"5 inch"', '5" pipe', "plain"], "category", quote=None, options=ReadingOptions(quote="none")),
    "single quotes": Case(["a,b", 'a "b"', '"c"'], "category", quote="'", options=ReadingOptions(quote="'")),
    "an uncommon delimiter": Case(
        ["a,b", "c;d", "e"], "category", "^", quote=None, options=ReadingOptions(delimiter="^")
    ),
    "no names": Case(["x", "oak", "elm"], "category", options=NAMELESS, has_names=False),
    "names far below": Case(
        ["1.5", "2.5"], "number", before="about, this, table\n" * 30, options=ReadingOptions(header=31)
    ),
    "a line drawn below the names": Case(["1.5", "2.5", "3.5"], "number", below="---,---,---\n"),
    "a first line for spreadsheets": Case(["1,5", "2,5", "3,25"], "number", ";", ",", before="sep=;\n"),
    "a delimiter behind each row": Case(["1.5", "2.5"], "number", ending=","),
    "a title": Case(["1.5", "2.5", "3.5"], "number", before="Sales\n\n"),
}


def written(case: Case, rows: list[list[str]]) -> bytes:
    """The file."""
    text = io.StringIO()
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if case.quote else csv.QUOTE_NONE
    ending = f"{case.ending}\n"
    writer = csv.writer(text, delimiter=case.delimiter, lineterminator=ending, quotechar=case.quote, quoting=quoting)
    writer.writerows(rows if case.has_names else rows[1:])
    if not case.has_names:
        return text.getvalue().encode(case.encoding)
    head, _, body = text.getvalue().partition(f"{case.ending}\n")
    return f"{case.before}{head}\n{case.below}{body}".encode(case.encoding)


def rows_of(case: Case) -> list[list[str]]:
    """The raw rows with their header; each cell comes several times, and the classes follow them."""
    fraction = "0,5" if case.decimal == "," else "0.5"
    return [
        ["x", "y", "target"],
        *([cell, fraction if at % 3 else "2", "abc"[at % 3]] for at, cell in enumerate(case.cells * 8)),
    ]


def predictor(folder: Path, content: bytes, options: ReadingOptions) -> tuple[Predictor, pd.DataFrame, dict[str, str]]:
    """A model of a table, the table, and the kinds of its columns."""
    path = folder / "table"
    path.write_bytes(content)
    found = inspect(path, LIMITS, options)
    table = read_table(path, found.reading, columns=found.columns)
    features = [column.name for column in found.columns if column.name != "target"]
    result = train(
        spec_of(TREE, features=features),
        table,
        found.columns,
        findings=found.findings,
        threads=1,
        folds=0,
        on_step=lambda _step, _percent, **_measured: None,
    )
    signature = result.facts.signature
    model = forget_names(result.model) if signature.numeric else result.model
    stored = type(signature).model_validate_json(signature.model_dump_json())
    learnt = LearntReading(found.reading, options.encoding)
    return (
        Predictor(1, FittedModel(model, stored), 0, learnt),
        table,
        {column.name: column.kind.value for column in found.columns},
    )


def fitted(predictor: Predictor) -> Any:
    """The model of scikit-learn that a predictor has."""
    assert isinstance(predictor.computes, FittedModel)
    return predictor.computes.model


def from_csv(folder: Path, content: bytes, model: Predictor) -> tuple[Any, list[Any]]:
    """What the model takes for the rows of a file, and what it predicts."""
    path = folder / "rows"
    path.write_bytes(content)
    try:
        reading = how_to_read(path, LIMITS, model.learnt)
    except NotUtf8:
        reading = how_to_read_guessed(path, LIMITS, model.learnt, rules=2)
    given = CsvInput(path, reading, LIMITS, model.signature, version=1, learnt=model.learnt)
    problems = InputProblems("body")
    with given.open() as rows:
        assert sum(1 for _ in given.check(rows, problems, InputWarnings("line")))
    problems.raise_if_any()
    with given.open() as rows:
        (batch,) = given.batches(rows, most_rows=lambda: 10_000)
    taken = model_input(batch.columns, model.signature.inputs, numeric=model.signature.numeric)
    return taken, model.answer_columns(batch.columns, rows=len(batch.rows), probabilities=False).predictions


def from_json(records: list[dict[str, Any]], model: Predictor) -> tuple[Any, list[Any]]:
    """The same for records."""
    taken = read_input(
        model.signature, version=1, features=None, records=records, max_cells=10_000, warnings=InputWarnings()
    )
    answer = model.answer(features=None, records=records, probabilities=False, max_cells=10_000)
    return taken, answer.predictions


def expect_same(one: Any, other: Any) -> None:
    """Equal cell for cell."""
    if isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other, check_exact=True)
    else:
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_raw_rows_of_a_text_mean_what_they_meant_in_training(tmp_path: Path, case: Case) -> None:
    header, *rows = raw = rows_of(case)
    content = written(case, raw)
    model, table, kinds = predictor(tmp_path, content, case.options)
    assert kinds == {"x": case.kind, "y": "number", "target": "category"}
    inputs, numeric = model.signature.inputs, model.signature.numeric
    expected = model_input(table, inputs, numeric=numeric)
    predicted = fitted(model).predict(expected).tolist()
    for taken, answered in (
        from_json([dict(zip(header[:2], row, strict=False)) for row in rows], model),
        from_csv(tmp_path, content, model),
    ):
        expect_same(taken, expected)
        assert answered == predicted
    for at in range(len(case.cells)):
        taken, answered = from_csv(tmp_path, written(case, [header, rows[at]]), model)
        expect_same(taken, model_input(table[at : at + 1].reset_index(drop=True), inputs, numeric=numeric))
        assert answered == predicted[at : at + 1]


TYPED = {
    "words": (["NA", "", None, " a", "Besanc\u0327on"], "category"),
    "numbers": ([1.5, 2, None, -3e5], "number"),
    "whole numbers": ([1, 2, None, 3], "integer"),
    "truths": ([True, False, None], "boolean"),
    "moments": (["2026-01-31T12:00:00", "2026-02-01T00:00:00.25", None], "datetime"),
}


@pytest.mark.parametrize(("values", "kind"), TYPED.values(), ids=TYPED)
def test_the_rows_of_json_lines_mean_what_they_meant_in_training(tmp_path: Path, values: list[Any], kind: str) -> None:
    rows = [{"x": value, "y": 0.5 if at % 3 else 2, "target": "abc"[at % 3]} for at, value in enumerate(values * 8)]
    model, table, kinds = predictor(
        tmp_path, "".join(json.dumps(row) + "\n" for row in rows).encode(), ReadingOptions()
    )
    assert kinds == {"x": kind, "y": "number", "target": "category"}
    expected = model_input(table, model.signature.inputs, numeric=model.signature.numeric)
    predicted = fitted(model).predict(expected).tolist()
    # CSV has no null beside an empty text, which is a category here.
    text = pd.DataFrame(rows).drop(columns="target").to_csv(index=False, na_rep="").encode()
    ways = [from_json([{name: row[name] for name in ("x", "y")} for row in rows], model)]
    if "" not in values:
        ways.append(from_csv(tmp_path, text, model))
    for taken, answered in ways:
        expect_same(taken, expected)
        assert answered == predicted


SAID: dict[str, tuple[list[Any], str]] = {
    "numbers as strings": (["1.5", "2", " -3 ", "n/a", None], "number"),
    "whole numbers as strings": (["7", "12", "", "+9"], "integer"),
    "whole numbers, some of them as strings": ([7, "7", 12, None], "integer"),
    "truths as strings": (["yes", "no", "Yes", None], "boolean"),
    "truths, some of them as strings": ([True, "false", "1", None], "boolean"),
    "days as strings": (["31.01.2026", "1.2.2026", None], "datetime"),
    "numbers as words": ([1, 2.5, None], "category"),
}


@pytest.mark.parametrize(("values", "kind"), SAID.values(), ids=SAID)
def test_the_rows_of_json_lines_mean_what_they_meant_where_their_kind_was_said(
    tmp_path: Path, values: list[Any], kind: str
) -> None:
    rows = [{"x": value, "y": 0.5 if at % 3 else 2, "target": "abc"[at % 3]} for at, value in enumerate(values * 8)]
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    model, table, kinds = predictor(tmp_path, content, ReadingOptions(kinds={"x": kind}))
    assert kinds == {"x": kind, "y": "number", "target": "category"}
    expected = model_input(table, model.signature.inputs, numeric=model.signature.numeric)
    taken, answered = from_json([{name: row[name] for name in ("x", "y")} for row in rows], model)
    expect_same(taken, expected)
    assert answered == fitted(model).predict(expected).tolist()


DAY = dt.date(2026, 1, 31)
SHEETS: dict[str, tuple[list[Any], str]] = {
    "words": (["NA", None, " a", "Besan\u0327on"], "category"),
    "codes": (["007", "12", "1e5"], "category"),
    "numbers": ([1.5, 2, None, -3e5], "number"),
    "whole numbers": ([1, 2, None, 2**53], "integer"),
    "numbers and words for a gap": ([1.25, "NA", None, 2, "-"], "number"),
    "numbers, some of them as text": ([1, 2, "3", " 4 "], "integer"),
    "numbers and words": ([1, 0.5, "one", 1e20], "category"),
    "truths": ([True, False, None], "boolean"),
    "days": ([DAY, dt.datetime.fromisoformat("2026-02-01T12:30:00"), None], "datetime"),
    "days and words for a gap": ([DAY, DAY.replace(day=1), "unknown"], "datetime"),
    "times of day": ([dt.time(7, 30), dt.time(12)], "category"),
}


@pytest.mark.parametrize(("values", "kind"), SHEETS.values(), ids=SHEETS)
def test_the_rows_of_a_workbook_mean_what_they_meant_in_training(tmp_path: Path, values: list[Any], kind: str) -> None:
    rows = [[value, 0.5 if at % 3 else 2, "abc"[at % 3]] for at, value in enumerate(values * 8)]
    content = workbook([["x", "y", "target"], *rows])
    model, table, kinds = predictor(tmp_path, content, ReadingOptions())
    assert kinds == {"x": kind, "y": "number", "target": "category"}
    expected = model_input(table, model.signature.inputs, numeric=model.signature.numeric)
    predicted = fitted(model).predict(expected).tolist()
    plain = [[cell.isoformat() if isinstance(cell, dt.date | dt.time) else cell for cell in row] for row in rows]
    text = io.StringIO()
    csv.writer(text).writerows([["x", "y", "target"], *plain])
    for taken, answered in (
        from_json([dict(zip("xy", row, strict=False)) for row in plain], model),
        from_csv(tmp_path, text.getvalue().encode(), model),
    ):
        expect_same(taken, expected)
        assert answered == predicted
