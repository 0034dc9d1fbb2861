"""Evaluations with all their parts, made up: of two labels, of three, and of numbers."""

import math
from typing import Any

from shared.evaluation.assessment import (
    Assessment,
    CalibrationCurve,
    ClassScores,
    ConfusionMatrix,
    CurvePoint,
    Curves,
    Fold,
    Importance,
    LearningCurve,
    MetricSpread,
    PartialDependence,
    PrecisionRecallCurve,
    Promise,
    Residuals,
    RocCurve,
    Slice,
    WorstRow,
)
from shared.evaluation.costs import Costs
from shared.evaluation.searched import Candidate, Search
from shared.evaluation.threshold_told import ThresholdCurve, ThresholdTold
from shared.training.search.telling import MOST_LISTED

_POINTS = 40
METRICS = {"accuracy": 0.9123, "balanced_accuracy": 0.8876, "f1_macro": 0.8912, "log_loss": 0.2871}
BASELINE = {"accuracy": 0.6267, "balanced_accuracy": 0.5, "f1_macro": 0.3852, "log_loss": 13.4523}
OF_NUMBERS = {"r2": 0.4526, "mae": 42.7941, "rmse": 53.8534}
BASELINE_OF_NUMBERS = {"r2": -0.0119, "mae": 64.0065, "rmse": 73.2225}


def report_of(metrics: dict[str, float], baseline: dict[str, float], labels: list[Any] | None) -> dict[str, Any]:
    """What the registry keeps of a training with these metrics."""
    counts = {"classes": [{"label": label, "training": 40, "test": 10} for label in labels]} if labels else {}
    return counts | {
        "task": "classification" if labels else "regression",
        "rows": {"total": 569, "without_target": 3, "training": 453, "test": 113},
        "split": {"test_size": 0.2, "random_state": 42, "stratified": bool(labels)},
        "columns": [
            {"column": "mean radius", "kind": "number", "role": "number", "treatment": "used as it is"},
            {"column": "id", "kind": "integer", "role": "left_out", "treatment": "left out: every value is another"},
        ],
        "baseline": {"strategy": "most_frequent" if labels else "mean", "metrics": baseline},
        "notes": ["Few rows of 'rare' to measure on: 3."],
        "fit_seconds": 0.1835,
        "warnings": ["The solver stopped before it converged."],
    }


def document_of(assessment: Assessment, metrics: dict[str, float], baseline: dict[str, float]) -> dict[str, Any]:
    """A report as the API gives it."""
    labels = None if assessment.confusion_matrix is None else assessment.confusion_matrix.labels
    report = report_of(metrics, baseline, labels)
    told = {
        "version": 7,
        "dataset_name": "scans",
        "dataset_version": 2,
        "target": "diagnosis",
        "estimator": "ensemble.RandomForestClassifier",
        "job_id": "c0ffee00-0000-4000-8000-000000000000",
        "trained_at": "2026-01-31T12:00:00.000000Z",
        "metrics": metrics,
    }
    found = assessment.model_dump(mode="json")
    return {"classes": []} | found | report | told | {"notes": [*report["notes"], *assessment.notes]}


def of_labels(*labels: Any, probabilities: bool = True) -> Assessment:
    """An evaluation of a classifier."""
    return Assessment(
        main_metric="accuracy",
        intervals={"accuracy": (0.8584, 0.9558), "balanced_accuracy": (0.8321, 0.9387), "log_loss": (0.1802, 0.4431)},
        confusion_matrix=ConfusionMatrix(
            labels=list(labels),
            counts=[
                [40 if row == column else (row + 2 * column) % 4 for column in range(len(labels))]
                for row in range(len(labels))
            ],
            left_out=0 if len(labels) < 30 else 12,
        ),
        per_class=[
            ClassScores(label=label, precision=0.9 if at else None, recall=0.85, f1=0.874 if at else None, support=42)
            for at, label in enumerate(labels)
        ],
        curves=_curves(labels if len(labels) > 2 else labels[1:]) if probabilities else None,
        partial_dependence=[
            *(
                PartialDependence(
                    column="mean radius", label=label, values=[6.5, 9.25, 12.5, 17.0, 28.1], means=_means(at)
                )
                for at, label in enumerate(labels[:4])
            ),
            PartialDependence(column="shape", label=labels[-1], values=["round", "oval", None], means=[0.2, 0.7, 0.4]),
        ],
        worst_rows=[
            WorstRow(
                row=17 + 31 * at,
                actual=labels[0],
                predicted=labels[-1],
                error=0.98 - at / 20,
                values={"mean radius": 17.25, "shape": "oval"},
            )
            for at in range(5)
        ],
        uncertainty=Promise(level=0.9, margin=0.3312, rows=453, coverage=0.9115, size=1.0442),
        threshold=_threshold(labels[1]) if len(labels) == 2 else None,
        search=searched({"criterion": labels[0], "max_depth": 3}),
        notes=[] if probabilities else ["There are no curves: the estimator gives no probabilities."],
        **_common("accuracy", 0.91),
    )


def searched(chosen: dict[str, Any], *, trials: int = 4) -> Search:
    """A search by which these parameters were chosen; the second of its trials failed."""
    scores = [None if at == 1 else 0.9 - at / (10 * trials) for at in range(trials)]
    listed = [
        Candidate(
            trial=at + 1,
            rank=None if score is None else at + (at == 0),
            params=chosen | {"max_depth": at},
            mean=score,
            std=None if score is None else 0.012,
            rows=362,
            seconds=0.2,
            failure="No such tree <b>grows</b>." if score is None else None,
        )
        for at, score in enumerate(scores[:MOST_LISTED])
    ]
    return Search(
        method="random",
        metric="accuracy",
        folds=3,
        trials_asked=trials + 1,
        trials_done=trials,
        trials_failed=1,
        seconds=61.5,
        time_limit=60,
        stopped=True,
        space={"max_depth": {"low": 0, "high": trials, "log": False, "int": True}},
        chosen=chosen,
        score=0.9,
        defaults=listed[0].model_copy(update={"trial": 0, "rank": None, "params": {}, "mean": 0.8912}),
        within_noise=True,
        candidates=sorted(listed, key=lambda each: each.rank or trials),
        left_out=trials - len(listed),
        scores=scores,
    )


def of_numbers() -> Assessment:
    """An evaluation of a regressor."""
    edges = [-150 + 20 * at for at in range(16)]
    counts = [1, 2, 3, 5, 8, 12, 15, 16, 14, 11, 9, 6, 4, 2, 1]
    points = [(60 + 2.2 * at, 60 + 2.2 * at + 55 * math.sin(7 * at)) for at in range(90)]
    return Assessment(
        main_metric="mae",
        intervals={"r2": (0.3012, 0.5617), "mae": (37.6612, 48.3109), "rmse": (47.0342, 60.4425)},
        residuals=Residuals(
            mean=-2.4417,
            quantiles={"0.5": 35.2, "0.75": 61.4, "0.9": 88.1, "0.95": 104.9, "0.99": 139.0, "1": 151.7},
            edges=[float(edge) for edge in edges],
            counts=counts,
            points=points,
        ),
        partial_dependence=[
            PartialDependence(
                column="bmi", values=[-0.09, -0.03, 0.0, 0.05, 0.17], means=[131.0, 140.5, 151.2, 180, 220]
            ),
            PartialDependence(column="sex", values=["female", "male"], means=[150.0, 152.5]),
        ],
        worst_rows=[WorstRow(row=80, actual=310.0, predicted=158.3, error=151.7, values={"bmi": 0.0616, "sex": None})],
        uncertainty=Promise(level=0.9, margin=89.4121, rows=353, coverage=0.8876, size=178.8242),
        **_common("mae", 43.1),
    )


def _learning_curve(metric: str, value: float) -> LearningCurve:
    spread = MetricSpread(mean=1.0, std=0.0)
    points = [
        CurvePoint(
            rows=rows, folds=5, training=spread, validation=MetricSpread(mean=value - 1.5 / rows, std=1.2 / rows)
        )
        for rows in (36, 64, 114, 204, 363)
    ]
    return LearningCurve(metric=metric, points=points)


def _threshold(positive: Any) -> ThresholdTold:
    places = [at / _POINTS for at in range(1, _POINTS)]
    return ThresholdTold(
        value=0.3,
        positive=positive,
        chosen_for="costs of 1 for a false positive and 5 for a false negative",
        score_name="cost of a row",
        rows=453,
        score=0.31,
        score_at_half=0.42,
        test_score=0.33,
        test_score_at_half=0.41,
        curve=ThresholdCurve(thresholds=places, scores=[0.31 + 2.7 * (each - 0.3) ** 2 for each in places]),
    )


def _curves(labels: tuple[Any, ...]) -> Curves:
    steps = [at / _POINTS for at in range(_POINTS + 1)]
    return Curves(
        roc=[
            RocCurve(
                label=label,
                false_positive_rate=steps,
                true_positive_rate=[step ** (1 / (6 - at % 5)) for step in steps],
                area=0.98 - at % 5 / 50,
            )
            for at, label in enumerate(labels)
        ],
        precision_recall=[
            PrecisionRecallCurve(
                label=label,
                recall=steps[::-1],
                precision=[1 - 0.6 * step ** (6 - at % 5) for step in steps[::-1]],
                average_precision=0.95 - at % 5 / 50,
            )
            for at, label in enumerate(labels)
        ],
        calibration=[
            CalibrationCurve(
                label=label, predicted=[0.05, 0.31, 0.52, 0.88], observed=[0.02, 0.4, 0.5, 0.95], rows=[60, 9, 4, 40]
            )
            for label in labels
        ],
    )


def _means(at: int) -> list[float]:
    return [abs(at % 2 - share) for share in (0.05, 0.12, 0.5, 0.9, 0.97)]


def _common(metric: str, value: float) -> dict[str, Any]:
    return {
        "folds": [Fold(training=362, test=91, metrics={metric: value * share}) for share in (0.98, 1.01, 1.0)],
        "spread": {metric: MetricSpread(mean=value * 0.9967, std=value * 0.0125)},
        "importance": [
            Importance(column="mean radius", mean=0.2143 * value, std=0.021 * value),
            Importance(column="shape", mean=0.0312 * value, std=0.0098 * value),
            Importance(column="age", mean=-0.0021 * value, std=0.0035 * value),
        ],
        "slices": [
            Slice(column="shape", value="round", rows=80, metrics={metric: value * 1.02}),
            Slice(column="shape", value="oval", rows=33, metrics={metric: value * 0.9}),
            Slice(column="mean radius", value="6.5 to 12", rows=57, metrics={metric: value}),
        ],
        "learning_curve": _learning_curve(metric, value),
        "costs": Costs(
            fit_seconds=0.1835,
            row_seconds=0.0000123,
            compiled=True,
            peak_memory_bytes=214_958_080,
            artifact_bytes=189_345,
            form_bytes=54_321,
        ),
    }
