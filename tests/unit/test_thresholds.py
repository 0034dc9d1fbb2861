"""From which probability on a classifier of two labels says the positive one: how it is chosen, and that all ask it."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics
from sklearn.model_selection import FixedThresholdClassifier

from api.fast.answers import AnswerWriter
from api.pages.report.threshold import threshold
from api.schemas.model_reports import ModelReport
from shared.compiled.file import read_model, write_model
from shared.compiled.links import LINKS
from shared.compiled.making.form import make_form
from shared.compiled.making.making import compile_model
from shared.compiled.parts import FormDamaged
from shared.errors import InvalidRequest, InvalidSplit, PlatformError, TaskMismatch
from shared.estimators.thresholds import Threshold, ThresholdChoice, label_meant
from shared.evaluation.threshold_told import ThresholdTold
from shared.evaluation.thresholds import HALF, choose
from shared.prediction.computing import FittedModel, ModelInForm
from shared.prediction.extras import Extras
from shared.prediction.loaded import ServingPlace
from shared.prediction.predictor import Predictor
from shared.training.checks.training import problems_of
from shared.training.frame import forget_names
from shared.training.reproducing import train_again
from shared.training.trainer import Trained, train
from tests.support.assessments import of_labels
from tests.support.batches import MIXED, learn, predict_file, records_of
from tests.support.training_tables import (
    dirty,
    numeric_amounts,
    numeric_classes,
    profile_of,
    quiet,
    spec_of,
    trained,
    trained_once,
)

COST = {"false_positive": 1.0, "false_negative": 5.0}
MEASURES: dict[str, Callable[[Any, Any], float]] = {
    "accuracy": metrics.accuracy_score,
    "balanced_accuracy": metrics.balanced_accuracy_score,
    "f1": metrics.f1_score,
    "f1_macro": lambda true, said: metrics.f1_score(true, said, average="macro"),
    "matthews_corrcoef": metrics.matthews_corrcoef,
    "cost": lambda true, said: -float(np.mean((said & ~true) * 1.0 + (~said & true) * 5.0)),
}
FOREST: dict[str, Any] = {"estimator": "ensemble.RandomForestClassifier", "params": {"n_estimators": 3, "max_depth": 2}}


def noisy(labels: tuple[Any, ...] = ("no", "yes")) -> pd.DataFrame:
    """Two labels that the columns tell only roughly, of which the second one is rare."""
    generator = np.random.default_rng(11)
    having = np.arange(90) % 3 == 0
    return pd.DataFrame(
        {
            "width": having + generator.normal(0, 1.2, 90),
            "height": generator.normal(0, 1, 90),
            "target": np.where(having, labels[1], labels[0]),
        }
    )


@pytest.mark.parametrize("name", MEASURES)
def test_no_other_threshold_is_better_than_the_chosen_one(name: str) -> None:
    choice = ThresholdChoice.model_validate({"cost": COST} if name == "cost" else {"metric": name})
    places = [0.0, 0.1, 0.25, 0.3, 0.5, 0.9, 1.0]
    for seed in range(3):
        generator = np.random.default_rng(seed)
        shares, having = generator.choice(places, 30), generator.uniform(size=30) < 0.3
        chosen = choose(shares, having, choice)
        assert 0 < chosen.value < 1
        assert HALF in chosen.thresholds
        measured = [MEASURES[name](having, shares >= each) for each in (0.05, 0.2, 0.28, 0.4, 0.7, 0.95)]
        found = -chosen.score if name == "cost" else chosen.score
        assert found == pytest.approx(MEASURES[name](having, shares >= chosen.value), abs=1e-12)
        assert found == pytest.approx(max(measured), abs=1e-12)
        assert chosen.one_label == (len(set(shares >= chosen.value)) == 1)


def test_of_equally_good_thresholds_it_is_the_one_nearest_to_one_half() -> None:
    choice = ThresholdChoice(metric="f1")
    assert choose(np.array([0.1, 0.9]), np.array([False, True]), choice).value == HALF
    assert choose(np.array([0.1, 0.2, 0.3]), np.array([False, True, True]), choice).value == pytest.approx(0.15)
    # A number that is in the same place and short.
    assert len(repr(choose(np.array([1 / 7, 2 / 7, 0.9]), np.array([False, True, True]), choice).value)) <= 4
    nan = choose(np.array([np.nan, 0.2, 0.3]), np.array([False, True, True]), choice)
    assert nan.value == pytest.approx(0.1)
    assert nan.score == 1.0


@pytest.mark.parametrize("labels", [(0, 1), (False, True)], ids=str)
def test_a_threshold_is_chosen_on_rows_that_the_models_had_not_seen(labels: tuple[Any, Any]) -> None:
    result = trained(**FOREST, table=noisy(labels), threshold={"metric": "f1"}, split={"folds": 3})
    assessment, signature = result.facts.assessment, result.facts.signature
    assert assessment is not None
    told = assessment.threshold
    assert told is not None
    assert (told.positive, told.chosen_for, told.rows) == (labels[1], "f1", 72)
    assert told.score is not None
    assert told.score_at_half is not None
    assert told.score > told.score_at_half
    assert signature.threshold == Threshold(value=told.value, positive=labels[1])
    assert told.value != HALF
    assert any("The threshold was chosen on the folds" in note for note in assessment.notes)
    assert isinstance(result.model, FixedThresholdClassifier)
    # The estimator is told, and not what is around it.
    assert result.facts.estimator == FOREST["estimator"]
    assert result.facts.parameters["n_estimators"] == 3


def test_the_rows_kept_back_and_the_folds_are_measured_with_it_and_shares_stay_what_they_are() -> None:
    table, choice = noisy(), {"cost": COST}
    plain = trained(**FOREST, table=table, split={"folds": 3})
    result = trained(**FOREST, table=table, threshold=choice, split={"folds": 3})
    assert result.facts.metrics["roc_auc"] == plain.facts.metrics["roc_auc"]
    assert result.facts.metrics["log_loss"] == plain.facts.metrics["log_loss"]
    assert result.facts.metrics["accuracy"] != plain.facts.metrics["accuracy"]
    assert result.facts.signature.uncertainty == plain.facts.signature.uncertainty
    with_it, without = result.facts.assessment, plain.facts.assessment
    assert with_it is not None
    assert without is not None
    assert without.threshold is None
    assert with_it.confusion_matrix is not None
    right = sum(with_it.confusion_matrix.counts[at][at] for at in range(2))
    assert right / 18 == pytest.approx(result.facts.metrics["accuracy"])
    assert with_it.threshold is not None
    folds = [(each.metrics["roc_auc"], each.metrics["accuracy"]) for each in with_it.folds]
    others = [(each.metrics["roc_auc"], each.metrics["accuracy"]) for each in without.folds]
    assert [auc for auc, _ in folds] == [auc for auc, _ in others]
    assert [accuracy for _, accuracy in folds] != [accuracy for _, accuracy in others]
    # What it costs on the rows kept back follows from their confusion matrix.
    (_, false_positive), (false_negative, _) = with_it.confusion_matrix.counts
    assert with_it.threshold.test_score == pytest.approx((false_positive + 5 * false_negative) / 18)


def test_a_number_needs_no_folds_and_without_a_threshold_nothing_changes() -> None:
    result = trained(**FOREST, table=noisy(), threshold={"value": 0.3})
    assert result.facts.assessment is not None
    assert result.facts.assessment.folds == []
    assert result.facts.assessment.threshold is not None
    assert result.facts.assessment.threshold.curve is None
    plain = trained_once(**FOREST, table=noisy())
    assert type(plain.model).__name__ == "RandomForestClassifier"
    assert "threshold" not in plain.facts.signature.model_dump(mode="json")
    assert "threshold" not in spec_of("svm.SVC").to_store()


def test_a_training_that_is_made_again_has_the_threshold_again() -> None:
    table = noisy()
    fields: dict[str, Any] = {"threshold": {"metric": "f1"}, "split": {"folds": 3}}
    first = trained(**FOREST, table=table, **fields)
    assert first.facts.pin is not None
    spec = spec_of(**FOREST, **fields)
    again = train_again(spec, table, profile_of(table), first.facts.pin.golden, threads=1, on_step=quiet)
    assert again.metrics == first.facts.metrics
    assert again.rows is not None
    assert (again.rows.compared, again.rows.different) == (18, 0)


def test_the_positive_label_may_be_spelled() -> None:
    result = trained(**FOREST, table=noisy((0, 1)), threshold={"value": 0.4, "positive": "0"})
    assert result.facts.signature.threshold == Threshold(value=0.4, positive=0)
    assert [label_meant(each, [False, True]) for each in ("true", "True", True, 1)] == [True, True, True, None]
    assert [label_meant(each, [0.0, 1.0]) for each in ("1", "1.0", 1, True, "2")] == [1.0, 1.0, 1.0, None, None]


def furnished(kind: str) -> tuple[Trained, pd.DataFrame]:
    """A model of two labels and rows that it has not seen."""
    if kind == "mixed":
        table = dirty()
        estimator, params = "ensemble.HistGradientBoostingClassifier", {"max_iter": 5}
        return trained_once(estimator, table, params=params), table.drop(columns="target")
    table = noisy()
    estimator, params = {
        "forest": (FOREST["estimator"], FOREST["params"]),
        "logistic": ("linear_model.LogisticRegression", {}),
    }[kind]
    return trained_once(estimator, table, params=params), table.drop(columns="target")


@pytest.mark.parametrize("kind", ["forest", "logistic", "mixed"])
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_the_labels_of_every_way_follow_from_the_threshold_also_on_it(kind: str, data: st.DataObject) -> None:
    result, rows = furnished(kind)
    inner, signature = result.model, result.facts.signature
    records = _plain(rows.iloc[:6])
    plain = Predictor(1, FittedModel(forget_names(inner) if signature.numeric else inner, signature), 0)
    shares = _answers(plain, records)[1]
    which = data.draw(st.integers(0, 1))
    on_it = st.sampled_from(sorted({row[which] for row in shares if 0 < row[which] < 1} | {0.5}))
    value = data.draw(st.one_of(on_it, on_it.map(lambda one: float(np.nextafter(one, 1))), st.floats(0.01, 0.99)))
    classes = signature.classes or []
    expected = [classes[which] if row[which] >= value else classes[1 - which] for row in shares]

    model = FixedThresholdClassifier(inner, threshold=value, pos_label=classes[which], response_method="predict_proba")
    told = Threshold(value=value, positive=classes[which])
    signature = signature.model_copy(update={"threshold": told})
    in_form = ModelInForm(compile_model(model, signature), signature, "a name")
    in_form.check_signature()
    for computes in (FittedModel(model, signature), in_form):
        assert _answers(Predictor(1, computes, 0), records) == (expected, shares)
    written = AnswerWriter(ServingPlace("a", "dev"), Predictor(1, in_form, 0), in_form)
    if signature.takes_plain_numbers:
        answer = written.answer(np.array([list(record.values()) for record in records]), Extras(False, False))
        assert answer is not None
        assert f'"predictions":{_json(expected)}'.encode() in answer


def _plain(rows: pd.DataFrame) -> list[dict[str, Any]]:
    shown = rows.assign(**{name: rows[name].astype(str) for name in rows.columns if rows[name].dtype.kind == "M"})
    found: Any = shown.replace({"NaT": None}).astype(object).where(rows.notna(), None).to_dict("records")
    return list(found)


def _answers(predictor: Predictor, records: list[dict[str, Any]]) -> tuple[list[Any], list[list[float]]]:
    answer = predictor.answer(features=None, records=records, probabilities=True, max_cells=10_000)
    assert answer.probabilities is not None
    alone = predictor.answer(features=None, records=records, probabilities=False, max_cells=10_000)
    assert alone.predictions == answer.predictions
    return answer.predictions, answer.probabilities


def _json(labels: list[Any]) -> str:
    return str(labels).replace("'", '"').replace(" ", "")


def test_the_page_draws_the_curve_and_names_the_label() -> None:
    report: Any = ModelReport.model_construct
    shown = threshold(report(threshold=of_labels("healthy", "ill").threshold))
    assert shown is not None
    for words in ("<svg", "Over thresholds", ">ill<", "costs of 1 for a false positive and 5", "At 0.5", "453 rows"):
        assert words in str(shown.contents), words
    fixed = ThresholdTold(value=0.3, positive=True, chosen_for="a number of the request")
    plain = threshold(report(threshold=fixed))
    assert plain is not None
    assert "<svg" not in str(plain.contents)
    assert threshold(report(threshold=None)) is None


def test_a_form_keeps_its_threshold_in_its_file_and_older_releases_refuse_it(tmp_path: Path) -> None:
    result = trained(**FOREST, table=noisy(), threshold={"value": 0.3, "positive": "no"})
    compiled, path = result.compiled, tmp_path / "form"
    assert compiled is not None
    assert compiled.threshold == (0.3, 0)
    write_model(compiled, path)
    with path.open("rb") as file:
        assert read_model(file).threshold == (0.3, 0)
    # They know the format 1 only.
    assert b'"format": 2' in _document(path)
    plain = trained_once(**FOREST, table=noisy()).compiled
    assert plain is not None
    write_model(plain, path)
    assert b'"format": 1' in _document(path)
    assert b"threshold" not in _document(path)
    with pytest.raises(FormDamaged, match="another threshold"):
        ModelInForm(compiled, result.facts.signature.model_copy(update={"threshold": None}), "a name").check_signature()


def _document(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return archive.read("form.json")


def test_a_form_that_is_not_equal_to_the_last_bit_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    result = trained("linear_model.LogisticRegression", noisy(), threshold={"value": 0.4})
    assert result.compiled is not None
    # As if the last step had lost a digit.
    nearly = {**LINKS, "sigmoid": lambda scores: LINKS["sigmoid"](scores) * (1 + 4e-16)}
    monkeypatch.setattr("shared.compiled.model.LINKS", nearly)
    rows = noisy().drop(columns="target")
    as_taken = lambda table: table.to_numpy()  # noqa: E731 - as it is
    compiled, told = make_form(forget_names(result.model), result.facts.signature, rows, as_taken=as_taken)
    assert compiled is None
    assert "a threshold needs all" in told.detail
    assert make_form(result.model.estimator, result.facts.signature, rows, as_taken=as_taken)[0] is not None


def test_a_batch_has_the_labels_that_a_request_gets(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(MIXED)
    wanted = {"value": 0.9, "positive": "bad"}
    learnt = learn(path, "linear_model.LogisticRegression", target="kind", threshold=wanted)
    records = records_of(path, learnt.found, [column.name for column in learnt.fitted.signature.inputs])
    labels, shares = _answers(learnt.predictor, records)
    assert labels == ["bad" if row[0] >= 0.9 else "good" for row in shares]
    assert any(0.5 < row[0] < 0.9 for row in shares)
    for output in ("csv", "parquet"):
        rows = predict_file(learnt, path, tmp_path, format=output).rows
        assert [row["prediction"] for row in rows] == labels


BAD: dict[str, tuple[pd.DataFrame, str, dict[str, Any], str, str]] = {
    "numbers": (numeric_amounts(), "linear_model.Ridge", {"metric": "f1"}, "task_mismatch", "use a classifier"),
    "three labels": (numeric_classes(), "naive_bayes.GaussianNB", {"metric": "f1"}, "task_mismatch", "has 3 labels"),
    "no probabilities": (noisy(), "svm.LinearSVC", {"value": 0.3}, "invalid_request", "CalibratedClassifierCV"),
    "no probabilities by a parameter": (noisy(), "svm.SVC", {"value": 0.3}, "invalid_request", "no probabilities"),
    "a negative cost": (
        noisy(),
        "naive_bayes.GaussianNB",
        {"cost": {"false_positive": -1, "false_negative": 1}},
        "invalid_request",
        "'false_positive' is a number from 0 on, not -1",
    ),
    "a huge cost": (
        noisy(),
        "naive_bayes.GaussianNB",
        {"cost": {"false_positive": 1e308, "false_negative": 1}},
        "invalid_request",
        "'false_positive' is at most 1e+12, not 1e+308",
    ),
    "no costs": (
        noisy(),
        "naive_bayes.GaussianNB",
        {"cost": {"false_positive": 0, "false_negative": 0}},
        "invalid_request",
        "at least one of them above 0",
    ),
    "nothing": (noisy(), "naive_bayes.GaussianNB", {"value": 0.0}, "invalid_request", "above 0 and below 1, not 0"),
    "all": (noisy(), "naive_bayes.GaussianNB", {"value": 1.0}, "invalid_request", "above 0 and below 1, not 1"),
    "another label": (
        noisy(),
        "naive_bayes.GaussianNB",
        {"metric": "f1", "positive": "yse"},
        "invalid_request",
        """"yse" is no label of 'target', which has "yes" and "no".""",
    ),
    "true for 1": (
        noisy((0, 1)),
        "naive_bayes.GaussianNB",
        {"value": 0.3, "positive": True},
        "invalid_request",
        "true",
    ),
}


@pytest.mark.parametrize(("table", "estimator", "wanted", "code", "said"), BAD.values(), ids=BAD)
def test_what_cannot_have_a_threshold_is_refused_before_anything_is_fitted(
    table: pd.DataFrame, estimator: str, wanted: dict[str, Any], code: str, said: str
) -> None:
    spec = spec_of(estimator, threshold=wanted)
    problems = problems_of(spec, columns=profile_of(table), rows=len(table))
    (found,) = [each for each in problems if any(error["loc"][1] == "threshold" for error in each.errors)]
    assert found.code == code
    assert said in found.detail
    with pytest.raises(PlatformError, match=r"threshold|label|cost"):
        train(spec, table, profile_of(table), threads=1, on_step=quiet)


def test_a_threshold_to_be_chosen_needs_folds() -> None:
    spec = spec_of("naive_bayes.GaussianNB", threshold={"metric": "f1"}, split={"folds": 0})
    (problem,) = problems_of(spec, columns=profile_of(noisy()), rows=90)
    assert isinstance(problem, InvalidRequest)
    assert "'folds' is 0 for none" in problem.detail
    fixed = spec_of("naive_bayes.GaussianNB", threshold={"value": 0.4}, split={"folds": 0})
    assert problems_of(fixed, columns=profile_of(noisy()), rows=90) == []


def test_what_shows_in_the_rows_only_ends_the_training_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    few = noisy().iloc[:9]
    with pytest.raises(InvalidSplit, match=r"none: 5 folds of 7 rows .* Give a number"):
        trained(**FOREST, table=few, threshold={"metric": "f1"})
    # The profile may be wrong about the labels.
    monkeypatch.setattr("shared.training.checks.training.problems_of_threshold", lambda *_: ())
    with pytest.raises(TaskMismatch, match="has 3 labels in the rows to fit"):
        trained(**FOREST, table=numeric_classes(), threshold={"value": 0.3})
    with pytest.raises(InvalidRequest, match="no label of 'target'"):
        trained(**FOREST, table=noisy(), threshold={"value": 0.3, "positive": "maybe"})
