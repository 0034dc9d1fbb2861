"""A batch prediction says of each row what `POST /predict` says of it, and keeps the rows that it cannot predict."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from structlog.testing import capture_logs

from shared.compiled.making.making import compile_model
from shared.errors import InvalidInput, MissingNotAllowed, NoProbabilities
from shared.prediction import batch, batch_rows
from shared.prediction.batch import fitted_for_batches
from shared.prediction.batch_output import neutralised
from shared.prediction.computing import ModelInForm
from shared.prediction.json_cells import take_cells
from shared.tables.inspected import TableLimits
from shared.tables.inspection import inspect
from shared.training.parts import parts_of
from tests.support.batches import MIXED, Learnt, Outputs, learn, predict_by, predict_file, records_of
from tests.support.tables import parquet

CLASSIFIERS = [
    "ensemble.RandomForestClassifier",
    "ensemble.HistGradientBoostingClassifier",
    "linear_model.LogisticRegression",
    "tree.DecisionTreeClassifier",
]


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def ask(learnt: Learnt, records: list[dict[str, Any]]) -> list[Any]:
    """What requests with these rows are answered: for each the prediction and probabilities, None where refused."""
    proba = learnt.predictor.signature.task == "classification"
    try:
        answer = learnt.predictor.answer(features=None, records=records, probabilities=proba, max_cells=100_000)
    except (InvalidInput, MissingNotAllowed):
        return [None] if len(records) == 1 else [ask(learnt, [record])[0] for record in records]
    return list(zip(answer.predictions, answer.probabilities or [[]] * len(records), strict=True))


def expect_as_asked(learnt: Learnt, path: Path, outputs: Outputs) -> int:
    """Compare each row with the answer to a request; how many were refused."""
    signature = learnt.predictor.signature
    records = records_of(path, inspect(path, TableLimits()), [column.name for column in signature.inputs])
    answers = ask(learnt, records)
    assert len(answers) == len(outputs.rows) == outputs.done.rows
    for number, (answer, row) in enumerate(zip(answers, outputs.rows, strict=True), start=1):
        assert int(row["row"]) == number
        assert bool(row["error"]) == (answer is None), row
        if answer is None:
            assert row["prediction"] in {"", None}
            continue
        predicted, shares = answer
        # How many rows are computed at a time may show in the last digit of a sum.
        near = isinstance(predicted, float)
        assert (
            (float(row["prediction"]) == pytest.approx(predicted, rel=1e-12))
            if near
            else (str(row["prediction"]) == str(predicted))
        )
        given = [float(value) for name, value in row.items() if name.startswith("probability_")]
        assert not given or given == pytest.approx(shares, rel=1e-12, abs=1e-15)
    refused = answers.count(None)
    assert refused == outputs.done.errors
    return refused


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize("estimator", CLASSIFIERS)
def test_each_row_of_a_mixed_table_gets_what_a_request_gets(tmp_path: Path, estimator: str, form: str) -> None:
    path = write(tmp_path, "table.csv", MIXED)
    learnt = learn(path, estimator, target="kind")
    outputs = predict_file(learnt, path, tmp_path, format=form, **{"return": ["label", "probability"]})
    assert expect_as_asked(learnt, path, outputs) == 0


def test_labels_that_are_numbers_and_estimates_keep_their_digits(tmp_path: Path) -> None:
    for target, estimator in {"age": "ensemble.RandomForestRegressor", "score": "linear_model.Ridge"}.items():
        path = write(tmp_path, "table.csv", MIXED.replace(",,", ",33,"))
        learnt = learn(path, estimator, target=target)
        for form in ("csv", "parquet"):
            assert expect_as_asked(learnt, path, predict_file(learnt, path, tmp_path, format=form)) == 0


def test_rows_of_another_table_are_read_by_its_own_rules_and_checked_by_the_model(tmp_path: Path) -> None:
    learnt = learn(write(tmp_path, "table.csv", MIXED), "ensemble.RandomForestClassifier", target="kind")
    # A semicolon, a decimal comma, another order; a word among the numbers, no truth among the truths, a new category.
    lines = [
        "score;since;member;city;age;id",
        "1,5;01.02.2024;ja;Oslo;33;a",
        "0,25;29.02.2024;nein;Rome;thirty;b",
        ";;;;;c",
    ]
    path = write(tmp_path, "other.csv", "\n".join(lines) + "\n")
    outputs = predict_file(learnt, path, tmp_path, keep=["id", "age"])
    assert expect_as_asked(learnt, path, outputs) == outputs.done.errors
    assert [row["id"] for row in outputs.rows] == ["a", "b", "c"]
    assert "'thirty' is not a number" in outputs.rows[1]["error"]
    assert outputs.done.errors >= 1


def test_all_reasons_of_a_row_stand_in_its_error(tmp_path: Path) -> None:
    learnt = learn(write(tmp_path, "table.csv", MIXED), "tree.DecisionTreeClassifier", target="kind")
    rows = [
        {"id": "1", "age": 33, "city": "Oslo", "member": True, "since": "2024-01-01", "score": 0.5},
        {"id": "2", "age": "old", "city": "Oslo", "member": "maybe", "since": "soon", "score": 0.5},
    ]
    path = write(tmp_path, "rows.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    first, second = predict_file(learnt, path, tmp_path, format="parquet", keep=["id"]).rows
    assert (first["prediction"] in {"good", "bad"}, first["error"]) == (True, None)
    assert second["prediction"] is None
    for name in ("age", "member", "since"):
        assert f"Column '{name}'" in second["error"]
    assert "row 2" in second["error"]


def test_a_value_that_the_model_cannot_compute_with_spoils_no_other_row(tmp_path: Path) -> None:
    table = "a,b,y\n" + "".join(f"{at}.5,{at % 5},{at % 2}\n" for at in range(60))
    learnt = learn(write(tmp_path, "table.csv", table), "ensemble.RandomForestClassifier", target="y")
    path = write(tmp_path, "rows.csv", "a,b\n1.5,2\n1e200,2\n2.5,3\n1e201,1\n")
    outputs = predict_file(learnt, path, tmp_path)
    assert [row["prediction"] != "" for row in outputs.rows] == [True, False, True, False]
    assert "row 4: 1e+201 is too large for this model" in outputs.rows[3]["error"]
    assert expect_as_asked(learnt, path, outputs) == 2


def test_of_all_rows_that_the_model_refuses_the_log_tells_one_and_without_what_was_computed(tmp_path: Path) -> None:
    table = "a,b,y\n" + "".join(f"{at}.5,{at % 5},{at % 2}\n" for at in range(60))
    learnt = learn(write(tmp_path, "table.csv", table), "ensemble.RandomForestClassifier", target="y")
    path = write(tmp_path, "rows.csv", "a,b\n1.5,2\n" + "1e200,2\n" * 50)
    with capture_logs() as lines:
        outputs = predict_file(learnt, path, tmp_path)
    assert outputs.done.errors == 50
    # A traceback shows whole arrays with their values, and takes longer than a thousand predictions.
    (line,) = [line for line in lines if line["event"] == "prediction_refused"]
    assert (line["row"], "exc_info" in line, "too large" in line["reason"]) == (2, False, True)


def test_the_size_of_the_chunks_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "table.csv", MIXED)
    learnt = learn(path, "ensemble.RandomForestClassifier", target="kind")
    asked_for = {"keep": ["id", "city"], "return": ["label", "probability"]}
    whole = predict_file(learnt, path, tmp_path, **asked_for).path.read_bytes()
    monkeypatch.setattr(batch, "_MOST_ROWS", 7)
    assert predict_file(learnt, path, tmp_path, **asked_for).path.read_bytes() == whole


def test_kept_columns_are_written_as_the_input_writes_them(tmp_path: Path) -> None:
    learnt = learn(write(tmp_path, "table.csv", MIXED), "tree.DecisionTreeClassifier", target="kind")
    content = MIXED.replace("kind\n", "kind,price\n").replace("good\n", 'good," 1,50"\n').replace("bad\n", "bad,NA\n")
    path = write(tmp_path, "rows.csv", content)
    keep = ["id", "price", "member", "since"]
    first = predict_file(learnt, path, tmp_path, keep=keep).rows[0]
    assert [first[name] for name in keep] == ["000", " 1,50", "true", "2024-01-01"]
    assert list(first) == ["row", *keep, "prediction", "error"]
    kept = pyarrow.parquet.read_table(predict_file(learnt, path, tmp_path, keep=keep, format="parquet").path)
    assert kept.column("id")[0].as_py() == "000"
    assert kept.column("price").type == pa.string()


def test_kept_columns_of_a_typed_table_keep_their_types(tmp_path: Path) -> None:
    numbers = {"a": [at + 0.5 for at in range(40)], "n": list(range(40)), "y": ["u", "v"] * 20}
    learnt = learn(write(tmp_path, "table.parquet", parquet(numbers)), "tree.DecisionTreeClassifier", target="y")
    rows = write(tmp_path, "rows.jsonl", '{"a": 1, "n": 7, "w": "=1+1"}\n{"a": 2.5, "n": null, "w": "-5"}\n')
    kept = pyarrow.parquet.read_table(predict_file(learnt, rows, tmp_path, keep=["n", "w"], format="parquet").path)
    assert (kept.column("n").type, kept.column("n").to_pylist()) == (pa.int64(), [7, None])
    assert kept.column("w").to_pylist() == ["=1+1", "-5"]
    plain = predict_file(learnt, rows, tmp_path, keep=["n", "w"]).rows
    assert [row["w"] for row in plain] == ["=1+1", "-5"]
    safe = predict_file(learnt, rows, tmp_path, keep=["n", "w"], neutralise_formulas=True).rows
    assert [row["w"] for row in safe] == ["'=1+1", "-5"]


@pytest.mark.parametrize("text", ["=1+1", "+A1", "-cmd", "@SUM(A1)", "\t=1", "-", "+", "--5", "=5", "-1+1", "@5"])
def test_a_text_that_a_program_would_compute_is_neutralised(text: str) -> None:
    assert neutralised(text) == f"'{text}"


@pytest.mark.parametrize("text", ["-5", "+5", "-1.5", "-1,5", "-1.234,56", "+1e5", "-.5", "-5 %", "a=b", "", "-1 234"])
def test_numbers_and_other_texts_are_left_alone(text: str) -> None:
    assert neutralised(text) == text


def test_probabilities_are_refused_where_there_are_none(tmp_path: Path) -> None:
    path = write(tmp_path, "table.csv", MIXED)
    learnt = learn(path, "svm.LinearSVC", target="kind")
    with pytest.raises(NoProbabilities, match="Version 1 has no probabilities"):
        predict_file(learnt, path, tmp_path, **{"return": ["probability"]})


def test_a_model_computes_in_one_thread_so_that_its_sums_have_one_order(tmp_path: Path) -> None:
    path = write(tmp_path, "table.csv", MIXED)
    learnt = learn(path, "ensemble.RandomForestClassifier", target="kind")
    forests = [part for part in parts_of(learnt.fitted.model) if "n_jobs" in vars(part)]
    # Whoever leaves it open gets as many threads as the job has.
    assert {part.n_jobs for part in forests} >= {None}
    fitted_for_batches(learnt.fitted.model, learnt.fitted.signature)
    assert all(part.n_jobs == 1 for part in forests)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_compiled_model_gives_the_output_that_the_fitted_one_gives(tmp_path: Path, form: str) -> None:
    path = write(tmp_path, "table.csv", MIXED)
    learnt = learn(path, "ensemble.RandomForestClassifier", target="kind")
    rows = MIXED + "999,long,Oslo,maybe,2024-13-01,,good\n,,Paris,,,1e300,bad\n"
    odd = write(tmp_path, "odd.csv", rows)
    signature = learnt.fitted.signature
    compiled = ModelInForm(compile_model(learnt.fitted.model, signature), signature, learnt.fitted.name)
    fields: dict[str, Any] = {"format": form, "keep": ["id", "city"], "return": ["label", "probability"]}
    found = []
    for model in (learnt.fitted, compiled):
        outputs = predict_by(model, odd, tmp_path, **fields)
        found.append((outputs.done, outputs.rows))
    assert found[0] == found[1]
    assert found[0][0].rows == 122
    assert found[0][0].errors >= 1


def test_a_gap_that_a_model_of_numbers_cannot_take_is_an_error_in_its_row(tmp_path: Path) -> None:
    table = "a,b,y\n" + "".join(f"{at}.5,{at % 5},{at % 2}\n" for at in range(60))
    learnt = learn(write(tmp_path, "table.csv", table), "linear_model.LogisticRegression", target="y")
    path = write(tmp_path, "rows.csv", "a,b\n1.5,2\n,2\n2.5,3\n")
    outputs = predict_file(learnt, path, tmp_path)
    assert expect_as_asked(learnt, path, outputs) == 1
    assert outputs.rows[1]["error"] == "Column 'a' is missing in row 2; the model needs a value."


def test_columns_that_are_plainly_right_are_taken_as_if_each_cell_was_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, "table.csv", MIXED)
    learnt = learn(path, "ensemble.RandomForestClassifier", target="kind", features=["age", "city", "member", "since"])
    whole = predict_file(learnt, path, tmp_path, **{"return": ["label", "probability"]}).path.read_bytes()
    looked: list[int] = []

    def look(*given: Any, **named: Any) -> None:
        looked.append(1)
        take_cells(*given, **named)

    monkeypatch.setattr(batch_rows, "take_cells", look)
    assert predict_file(learnt, path, tmp_path, **{"return": ["label", "probability"]}).path.read_bytes() == whole
    assert looked == []
    monkeypatch.setattr(batch_rows, "_is_plain", lambda *_: False)
    assert predict_file(learnt, path, tmp_path, **{"return": ["label", "probability"]}).path.read_bytes() == whole
    assert looked == [1]


def test_what_was_taken_as_something_else_is_told_with_its_rows(tmp_path: Path) -> None:
    learnt = learn(write(tmp_path, "table.csv", MIXED), "ensemble.RandomForestClassifier", target="kind")
    header, first, second, *_ = MIXED.splitlines()
    path = write(tmp_path, "rows.csv", f"{header}\n{first}\n{second.replace('Lyon', 'Rome')}\n")
    done = predict_file(learnt, path, tmp_path).done
    assert done.errors == 0
    assert any(
        "Column 'city' has values that training did not meet: 'Rome', in row 2" in told for told in done.warnings
    )
