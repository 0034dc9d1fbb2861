"""`mlmini predict`: a CSV file in, a CSV file out, through requests that the API takes."""

import csv
import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from tests.support.command_line import CommandLine
from tests.support.launcher import Launcher, launched
from tests.support.training_tables import numeric_classes

# So few that each of the tables here takes several requests.
MOST_CELLS = 60
HEADER = ["length", "width", "colour", "good", "note"]
COLOURS = ["red", "green", "blue, dark"]


def table(rows: int) -> list[list[str]]:
    """Rows with a gap in each column but the target."""
    found = []
    for row in range(rows):
        cells = [f"{row % 7 + 0.5}", f"{row % 5}", COLOURS[row % 3], "true" if row % 7 > 3 else "false", f'"{row}"']
        if row % 4 == 0:
            cells[row // 4 % 3] = ["", "NA", " "][row % 3]
        found.append(cells)
    return found


def write(path: Path, rows: list[list[str]], *, header: list[str] = HEADER, delimiter: str = ",") -> None:
    with path.open("w", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([header, *rows])


def read(text: str, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text), delimiter=delimiter))


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    settings = {"MLMINI_EXAMPLES": "0", "MLMINI_PREDICT_MAX_CELLS": str(MOST_CELLS)}
    with launched(tmp_path_factory.mktemp("platform") / "home", settings) as launcher:
        yield launcher


@pytest.fixture(scope="module")
def mlmini(platform: Launcher, tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """The command line beside a model that is active in staging, and one that takes no gaps in production."""
    mlmini = CommandLine(tmp_path_factory.mktemp("folder"), platform.url("Readiness").removesuffix("/readyz"))
    write(mlmini.folder / "things.csv", table(60))
    mlmini.succeed("datasets", "upload", "things.csv")
    words = ["train", "things", "--target", "good", "--model", "ensemble.RandomForestClassifier", "--json"]
    for column in HEADER[:3]:
        words += ["--feature", column]
    version = mlmini.succeed(*words, "--param", "n_estimators=10").document["result"]["version"]
    mlmini.succeed("promote", "things", str(version), "staging")
    return mlmini


@pytest.fixture(scope="module")
def expected(platform: Launcher, mlmini: CommandLine) -> list[bool]:
    """What the API predicts for the table, row by row."""
    records = [
        {"length": number(row[0]), "width": number(row[1]), "colour": row[2] if row[2].strip("NA ") else None}
        for row in table(60)
    ]
    with platform.client() as client:
        return [predicted(client, record)["predictions"][0] for record in records]


def number(text: str) -> float | None:
    return float(text) if text.strip("NA ") else None


def predicted(client: httpx2.Client, record: dict[str, Any]) -> Any:
    body = {"dataset_name": "things", "environment": "staging", "input_data": {"records": [record]}}
    answer = client.post("/predict", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def labels(rows: list[dict[str, str]]) -> list[bool]:
    return [row["prediction"] == "true" for row in rows]


def test_every_row_comes_back_with_what_the_api_predicts(mlmini: CommandLine, expected: list[bool]) -> None:
    rows = read(mlmini.succeed("predict", "things", "things.csv", "-e", "staging").out)
    assert labels(rows) == expected
    assert {row["prediction"] for row in rows} == {"true", "false"}
    assert [[row[name] for name in HEADER] for row in rows] == table(60)


def test_probabilities_are_columns_by_class(mlmini: CommandLine, expected: list[bool]) -> None:
    ended = mlmini.succeed("predict", "things", "things.csv", "-e", "staging", "--proba", "--output", "out.csv")
    assert ended.out == ""
    assert "60 rows predicted by version 1 and written to out.csv" in ended.err
    for row in read((mlmini.folder / "out.csv").read_text()):
        shares = {label: float(row[f"probability_{label}"]) for label in ("False", "True")}
        assert sum(shares.values()) == pytest.approx(1)
        assert shares["True"] >= 0.5 if row["prediction"] == "true" else shares["False"] >= 0.5


def test_json_is_one_answer_for_all_rows(mlmini: CommandLine, expected: list[bool]) -> None:
    answer = mlmini.succeed("predict", "things", "things.csv", "-e", "staging", "--proba", "--json").document
    assert answer["predictions"] == expected
    assert len(answer["probabilities"]) == 60
    assert (answer["dataset_name"], answer["version"]) == ("things", 1)


def form(name: str, rows: list[list[str]]) -> bytes:
    """The same table in another form."""
    text = io.StringIO()
    semicolons = name in {"semicolons and decimal commas", "Latin-1"}
    writer = csv.writer(text, delimiter=";" if semicolons else "\t" if name == "tabs" else ",")
    header = HEADER
    if name == "columns in another order":
        header, rows = header[::-1], [row[::-1] for row in rows]
    if semicolons:
        rows = [[row[0].replace(".", ","), *row[1:]] for row in rows]
    if name == "Latin-1":
        rows = [[*row[:4], "é"] for row in rows]
    writer.writerows([header, *rows])
    if name == "a BOM":
        return text.getvalue().encode("utf-8-sig")
    if name == "gzip":
        return gzip.compress(text.getvalue().encode())
    return text.getvalue().encode("latin-1" if name == "Latin-1" else "utf-8")


FORMS = ["a BOM", "columns in another order", "gzip", "Latin-1", "semicolons and decimal commas", "tabs"]


@pytest.mark.parametrize("name", FORMS)
def test_a_table_may_come_in_any_form_by_standard_input(mlmini: CommandLine, expected: list[bool], name: str) -> None:
    ended = mlmini.succeed("predict", "things", "-", "-e", "staging", stdin=form(name, table(60)))
    delimiter = ";" if ";" in ended.out.splitlines()[0] else "\t" if "\t" in ended.out.splitlines()[0] else ","
    rows = read(ended.out, delimiter)
    assert labels(rows) == expected
    assert all(row["note"] == "é" for row in rows) == (name == "Latin-1")


def test_a_missing_column_is_told_and_taken_as_missing(mlmini: CommandLine) -> None:
    ended = mlmini.succeed("predict", "things", "-", "-e", "staging", stdin=b"colour,length\nred,1.5\n")
    assert "Warning: The table lacks width" in ended.err
    assert len(read(ended.out)) == 1


def test_a_table_without_rows_gives_a_header(mlmini: CommandLine) -> None:
    ended = mlmini.succeed("predict", "things", "-", "-e", "staging", stdin=b"length,width,colour\n")
    assert ended.out == "length,width,colour,prediction\n"


WRONG = {
    "cells that are no numbers": (
        b"length,width,colour\n1,2,red\nlong,2,red\n3,wide,red\n",
        "line 3, column 'length': 'long' is not a number. Leave the cell empty where the value is missing.\n  line 4",
    ),
    "a row that is too short": (b"length,width,colour\n1,2\n", "line 2: there are 2 cells, but 3 columns"),
    "a table of something else": (b"a,b\n1,2\n", "which predicts 'good') takes: length, width, colour. Its first line"),
    "nothing": (b"", "is empty"),
    "a quote that never ends": (b'length,"width\n1,2\n', "never closed"),
    "two columns of one name": (b"length,length\n1,2\n", "more than one column of the name 'length'"),
    "a column that is there already": (b"length,prediction\n1,2\n", "has a column 'prediction' already"),
    "a damaged gzip": (gzip.compress(b"length,width,colour\n" + b"1,2,red\n" * 99)[:-9], "The gzip file is cut off"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_table_is_refused_with_its_place_and_leaves_no_file(mlmini: CommandLine, name: str) -> None:
    content, sentence = WRONG[name]
    target = mlmini.folder / "kept.csv"
    target.write_text("as it was")
    before = sorted(mlmini.folder.iterdir())
    ended = mlmini.run("predict", "things", "-", "-e", "staging", "-o", "kept.csv", stdin=content)
    assert ended.status in {1, 2}
    assert sentence in ended.err
    assert (target.read_text(), sorted(mlmini.folder.iterdir())) == ("as it was", before)


def test_what_the_api_refuses_in_a_later_request_is_told_by_its_line_and_leaves_no_file(mlmini: CommandLine) -> None:
    # A table without gaps makes a model that takes none.
    write(mlmini.folder / "full.csv", [[str(row), str(row % 3)] for row in range(40)], header=["a", "b"])
    mlmini.succeed("datasets", "upload", "full.csv")
    mlmini.succeed("train", "full", "--target", "b", "--model", "linear_model.LogisticRegression")
    content = "a\n" + "1\n" * 70 + "NA\n" + "2\n" * 10
    ended = mlmini.run("predict", "full", "-", "-e", "dev", "-o", "half.csv", stdin=content.encode())
    assert ended.status == 1
    assert "line 72: Column 'a' is missing; the model needs a value." in ended.err
    assert not list(mlmini.folder.glob("*half.csv*"))


def test_a_column_that_is_needed_is_missed_once_and_not_row_by_row(mlmini: CommandLine) -> None:
    rows = [[str(row), str(row * 7 % 5), str(row % 3)] for row in range(40)]
    write(mlmini.folder / "needing.csv", rows, header=["a", "b", "c"])
    mlmini.succeed("datasets", "upload", "needing.csv")
    words = ["train", "needing", "--target", "c", "--model", "linear_model.LogisticRegression", "--json"]
    version = mlmini.succeed(*words).document["result"]["version"]
    predict = ["predict", "needing", "-", "-e", "dev"]
    ended = mlmini.run(*predict, stdin=b"a\n" + b"1\n" * 120)
    assert (ended.status, ended.out) == (1, "")
    assert (
        f"The table lacks b, which the model (version {version}, which predicts 'c') needs in every row." in ended.err
    )
    assert len(ended.err.splitlines()) == 2
    # Where the column is there, and empty, some of the places are enough.
    ended = mlmini.run(*predict, stdin=b"a,b\n" + b"1,\n" * 120)
    assert ended.status == 1
    assert "  line 11: Column 'b' is missing; the model needs a value.\n  and 110 more\n" in ended.err
    assert "in row" not in ended.err
    ended = mlmini.run(*predict, stdin=b"a,b\n" + b"1,x\n" * 120)
    assert ended.err.count("'x' is not a number") == 10


def test_no_model_is_told_by_the_api(mlmini: CommandLine) -> None:
    for words, sentence in (
        (["things", "things.csv"], "No model of 'things' is active in 'production'"),
        (["thing", "things.csv"], "There is no dataset 'thing'. Did you mean 'things'?"),
        (["things", "things.csv", "-e", "stagin"], "There is no stage 'stagin'"),
        (["things", "none.csv", "-e", "staging"], "none.csv cannot be read: No such file"),
        (["things", "things.csv", "-e", "staging", "-o", "no/where.csv"], "no/where.csv cannot be written"),
    ):
        ended = mlmini.run("predict", *words)
        assert ended.status == 1
        assert sentence in ended.err


def tree() -> DecisionTreeClassifier:
    return DecisionTreeClassifier(max_depth=2, random_state=42)


TREE = {"module": "tree", "class": "DecisionTreeClassifier", "params": {"max_depth": 2}}
BAYES = {"module": "naive_bayes", "class": "GaussianNB", "params": {}}
PAIRS = [["tree", TREE], ["bayes", BAYES]]
OF_MODELS: dict[str, tuple[dict[str, Any], Any]] = {
    "StackingClassifier": (
        {"estimators": PAIRS, "final_estimator": BAYES, "cv": 3},
        StackingClassifier([("tree", tree()), ("bayes", GaussianNB())], GaussianNB(), cv=3),
    ),
    "VotingClassifier": (
        {"estimators": PAIRS, "voting": "soft"},
        VotingClassifier([("tree", tree()), ("bayes", GaussianNB())], voting="soft"),
    ),
}


@pytest.mark.parametrize("name", OF_MODELS)
def test_a_model_of_models_answers_as_scikit_learn_does(platform: Launcher, mlmini: CommandLine, name: str) -> None:
    rows, (params, by_hand) = numeric_classes(), OF_MODELS[name]
    rows.to_csv(mlmini.folder / f"{name}.csv", index=False)
    mlmini.succeed("datasets", "upload", f"{name}.csv")
    model = json.dumps({"module": "ensemble", "class": name, "params": params})
    dataset = name.lower()
    ended = mlmini.succeed("train", dataset, "--target", "target", "--model", model, "--json").document
    inputs, labels = rows[["width", "height", "count"]].astype("float64"), rows["target"].to_numpy()
    parts = train_test_split(inputs, labels, test_size=0.2, random_state=42, stratify=labels)
    by_hand.fit(parts[0], parts[2])
    inputs = inputs[: MOST_CELLS // 3]
    asked = {"features": inputs.to_numpy().tolist()}
    body = {"dataset_name": dataset, "environment": "dev", "input_data": asked, "return": ["label", "probability"]}
    with platform.client() as client:
        answer = client.post("/predict", json=body).raise_for_status().json()
        described = client.get(f"/models/{ended['result']['version']}").raise_for_status().json()
    assert answer["predictions"] == by_hand.predict(inputs).tolist()
    assert answer["probabilities"] == by_hand.predict_proba(inputs).tolist()
    assert described["estimator"] == f"ensemble.{name}"
    shown = described["parameters"]["estimators"][0][1]
    assert (shown["class"], shown["params"]["max_depth"]) == ("DecisionTreeClassifier", 2)
    assert described["compilation"]["compiled"] is False
