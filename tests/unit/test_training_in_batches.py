"""Trainings of which only some rows are in memory at a time."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.naive_bayes import GaussianNB

from cli.actions.training import training_request
from cli.commands.further import OPTIONS, fields_of
from shared.errors import FitFailed, InvalidSplit, SingleClass
from shared.estimators.catalogue import all_estimators, find_estimator
from shared.tables.loading import read_table
from shared.training.batches import drawing
from shared.training.batches.training import rows_kept_back, train_in_batches
from shared.training.model_fit import fit_shown
from shared.training.preparing import prepare
from shared.training.reproducing import repeat
from shared.training.reproduction import TrainingOrder
from shared.training.spec import BatchesChoice
from tests.support.rows_at_a_time import StoredTable, by_label, score_of, store
from tests.support.training_tables import numeric_amounts, numeric_classes, quiet, spec_of

GRADIENT = "linear_model.SGDClassifier"
BAYES = "naive_bayes.GaussianNB"
ABLE = sorted(each.key for each in all_estimators() if each.learns_in_batches and each.library is None)
PASSES = 3


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, StoredTable]:
    """The same rows for both tasks."""
    tasks = ("classification", "regression")
    return {task: store(tmp_path_factory.mktemp(task), by_label(task)) for task in tasks}


@pytest.fixture(scope="module")
def labelled(tables: dict[str, StoredTable]) -> StoredTable:
    """Those with labels."""
    return tables["classification"]


def test_those_that_learn_in_batches_are_known_by_the_table() -> None:
    assert {"linear_model.SGDRegressor", "naive_bayes.CategoricalNB", "neural_network.MLPClassifier"} <= set(ABLE)
    assert find_estimator("neural_network", "MLPRegressor").refuses_batches_with == {"solver": ["lbfgs"]}
    assert not {"ensemble.RandomForestClassifier", "multiclass.OneVsRestClassifier"} & set(ABLE)


@pytest.mark.parametrize("estimator", ABLE)
def test_each_learns_a_sorted_table_as_well_as_from_all_rows_at_once(
    tables: dict[str, StoredTable], estimator: str
) -> None:
    known = find_estimator(*estimator.split("."))
    source, as_often = tables[known.task], {"max_iter": PASSES} if "max_iter" in known.parameters else {}
    file, spec = source.file, spec_of(estimator, params=as_often)
    whole = prepare(spec, read_table(file.path, file.reading, columns=file.columns), file.columns, [])
    model, ready = source.fit(estimator, passes=PASSES)
    assert score_of(model, ready) > score_of(fit_shown(whole, quiet).model, whole) - 0.1


@pytest.mark.parametrize("weighted", [False, True])
def test_what_can_be_counted_up_comes_to_the_same_as_a_fit_to_these_rows(tmp_path: Path, weighted: bool) -> None:
    table = numeric_classes(rows=3_500)
    # Those of the first of three batches count, and none of the others.
    first = np.random.default_rng(42).random(len(table)) < 0.2 + 0.8 / 3
    table["much"] = np.where(first, 1 + np.arange(len(table)) % 2, 0)
    weight = {"sample_weight": "much"} if weighted else {"features": ["width", "height", "count"]}
    result = store(tmp_path, table).train(BAYES, **weight)
    learnt = table[np.random.default_rng(42).random(len(table)) >= 0.2]
    by_hand = GaussianNB().fit(
        learnt[["width", "height", "count"]], learnt["target"], sample_weight=learnt["much"] if weighted else None
    )
    assert np.allclose(result.model.theta_, by_hand.theta_, rtol=1e-9)
    assert result.model.classes_.tolist() == by_hand.classes_.tolist()
    assert result.facts.report["rows"] == {
        "total": 3_500,
        "without_target": 0,
        "training": len(learnt),
        "test": 3_500 - len(learnt),
    }
    assert [each["training"] for each in result.facts.report["classes"]] == learnt["target"].value_counts().tolist()
    shares = (table.drop(learnt.index)["target"] == learnt["target"].mode()[0]).mean()
    assert result.facts.report["baseline"]["metrics"]["accuracy"] == pytest.approx(shares)


def test_numbers_are_scaled_by_the_means_of_all_rows_and_gaps_filled_by_the_first_batch(labelled: StoredTable) -> None:
    model, _ = labelled.fit(GRADIENT)
    table = by_label()
    learnt = table[np.random.default_rng(42).random(len(table)) >= 0.2]
    imputer, scaler = (step for _, step in model[0].named_transformers_["numbers"].steps)
    assert scaler.n_samples_seen_ == len(learnt)
    assert scaler.mean_[1] == pytest.approx(learnt["height"].mean(), rel=1e-9)
    assert imputer.statistics_[1] == pytest.approx(learnt["height"].median(), abs=0.15)


def test_the_report_says_how_the_rows_were_shown_and_what_there_is_not(labelled: StoredTable) -> None:
    result = labelled.train(GRADIENT, passes=2, params={"loss": "log_loss"}, threshold={"value": 0.3})
    notes = result.facts.report["notes"]
    assert any("rows 2 times, in 5 batches that are drawn" in note for note in notes), notes
    assert any(note.startswith("Medians, categories") for note in notes)
    assert any("drawn one by one" in note for note in notes)
    assert result.facts.assessment is not None
    assert any("No folds, and so no intervals: a training in batches" in note for note in result.facts.assessment.notes)
    assert type(result.model).__name__ == "FixedThresholdClassifier"
    assert result.facts.report["baseline"]["metrics"]["accuracy"] < result.facts.metrics["accuracy"]
    (city,) = [column for column in result.facts.signature.inputs if column.name == "city"]
    assert city.categories == ["Berlin", "Lyon", "Oslo"]
    # The place of a row in the table, from 1.
    worst = result.facts.assessment.worst_rows[0]
    assert by_label()["target"][worst.row - 1] == worst.actual


def test_a_training_that_is_made_again_comes_to_the_same_model(labelled: StoredTable) -> None:
    file, params = labelled.file, {"loss": "log_loss"}
    spec = spec_of(GRADIENT, params=params, batches=BatchesChoice(rows=1_000, passes=2))
    first = labelled.train(GRADIENT, params=params, passes=2)
    assert first.facts.pin is not None
    order = TrainingOrder(
        spec=spec,
        reading=file.reading,
        columns=file.columns,
        rows=file.rows,
        findings=labelled.findings,
        threads=1,
        folds=first.facts.pin.folds,
        recipe=first.facts.pin.recipe,
        golden=first.facts.pin.golden,
    )
    again = repeat(order, file.path, on_step=quiet)
    assert again.metrics == first.facts.metrics
    assert again.rows is not None
    assert (again.rows.compared, again.rows.different, again.rows.largest_difference) == (20, 0, 0.0)
    assert sorted(path.name for path in file.path.parent.iterdir()) == ["table"]


def test_more_rows_than_can_be_measured_on_are_measured_by_chance(
    labelled: StoredTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "_MOST_MEASURED", 300)
    whole, _ = labelled.fit(BAYES)
    monkeypatch.setattr(drawing, "_GATHERED_ROWS", 500)
    monkeypatch.setattr("shared.tables.parquet._CHUNK_ROWS", 600)
    result = labelled.train(BAYES)
    # In whatever pieces the file is read, the same rows are drawn.
    assert result.model[-1].theta_.tolist() == whole[-1].theta_.tolist()
    rows = result.facts.report["rows"]
    assert rows["test"] == 300
    assert any(note.startswith("Measured on 300 of 1,") for note in result.facts.report["notes"])
    file = labelled.file
    spec = spec_of(BAYES, batches=BatchesChoice(rows=1_000))
    kept = rows_kept_back(spec, file.path, file.reading, file.columns, result.facts.signature)
    _, ready = labelled.fit(BAYES)
    assert kept.equals(ready.data)
    numbers = np.random.default_rng(42).random(file.rows)
    assert ready.kept_back.index.tolist() == sorted(np.argsort(numbers)[:300].tolist())
    assert by_label()["height"][ready.kept_back.index].tolist() == ready.kept_back["height"].tolist()


def test_balanced_weights_are_those_of_all_rows(labelled: StoredTable) -> None:
    balanced, ready = labelled.fit(GRADIENT, params={"class_weight": "balanced"})
    assert ready.learnt.rows is not None
    each = ready.learnt.count / (2 * ready.learnt.rows)
    weights = dict(zip(ready.learnt.values.tolist(), each.tolist(), strict=True))
    named, _ = labelled.fit(GRADIENT, params={"class_weight": weights})
    assert balanced[-1].coef_.tolist() == named[-1].coef_.tolist()
    assert balanced[-1].class_weight == "balanced"


def test_rows_none_of_which_counts_are_told(tmp_path: Path) -> None:
    table = by_label(rows=2_000)
    kept_back = np.random.default_rng(42).random(len(table)) < 0.2
    with pytest.raises(FitFailed, match="Add rows that count"):
        store(tmp_path, table.assign(much=kept_back * 2)).fit(BAYES, sample_weight="much")


def test_balanced_weights_need_no_keys_that_tell_labels_apart(tmp_path: Path) -> None:
    # scikit-learn looks for the weights of both under the number 1.
    table = by_label(rows=2_000).replace({"target": {"much": "01", "little": "1"}})
    model, ready = store(tmp_path, table).fit(GRADIENT, params={"class_weight": "balanced"})
    assert score_of(model, ready) > 0.9


def test_progress_rises_with_the_rows(labelled: StoredTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "_GATHERED_ROWS", 500)
    heard: list[tuple[str, int]] = []
    spec = spec_of(BAYES, batches=BatchesChoice(rows=1_000))
    file = labelled.file
    monkeypatch.setattr("shared.tables.parquet._CHUNK_ROWS", 1_000)
    train_in_batches(
        spec,
        file,
        folder=file.path.parent,
        threads=1,
        on_step=lambda step, percent, *, measured=False: heard.append((step, percent)),  # noqa: ARG005 - as the protocol has it
    )
    assert heard == sorted(heard, key=lambda each: each[1])
    assert len({percent for step, percent in heard if step == "preparing"}) > 5
    assert len({percent for step, percent in heard if step == "fitting"}) == 6


def test_labels_that_only_the_values_show_are_refused(tmp_path: Path) -> None:
    table = by_label(rows=1_000)
    alone = table.assign(target=["rare", *["usual"] * 999])
    source = store(tmp_path, alone)
    # The one row of another label is among those to measure on.
    seed = next(seed for seed in range(100) if np.random.default_rng(seed).random() < 0.2)
    with pytest.raises(SingleClass):
        source.train(BAYES, random_state=seed)
    with pytest.raises(InvalidSplit, match="each row is drawn by itself"):
        source.train(BAYES, test_size=1e-6)


def test_a_pile_that_is_larger_than_a_batch_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.training.batches.dealing._MOST_FILES", 1)
    table: pd.DataFrame = numeric_amounts(rows=4_000)
    result = store(tmp_path, table).train("linear_model.SGDRegressor", params={"alpha": 0.001})
    assert any("in 3 batches" in note for note in result.facts.report["notes"])
    # A number for each batch has been counted: rows that were shown, and one more.
    learnt = int((np.random.default_rng(42).random(4_000) >= 0.2).sum())
    assert result.model[-1].t_ == learnt + 1


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ({"batches": 5_000}, {"rows": 5_000}),
        ({"batches": 5_000, "passes": 2}, {"rows": 5_000, "passes": 2}),
        ({}, None),
    ],
)
def test_two_options_of_the_command_line_are_one_field(given: dict[str, int], asked: dict[str, int] | None) -> None:
    values = fields_of(dict.fromkeys(OPTIONS) | given)
    request = training_request("visits", model=["linear_model.SGDClassifier"], **values)
    assert request.get("batches") == asked
    assert "passes" not in request
