"""What an evaluation tells beside the metrics, as data: all that is looked at before a model is believed."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.evaluation.costs import Costs
from shared.evaluation.searched import Search
from shared.evaluation.threshold_told import ThresholdTold

# In the notes on a classifier that has none.
NO_PROBABILITIES = "the estimator gives no probabilities"

Numbers = list[float]
Range = tuple[float, float]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Fold(_Part):
    """One of the models that were fitted on a part of the training rows only, and measured on the rest of them."""

    training: int = Field(description="How many rows it was fitted on.")
    test: int = Field(description="How many rows it was measured on.")
    metrics: dict[str, float] = Field(description="Its metrics.")


class MetricSpread(_Part):
    """A metric over the folds."""

    mean: float = Field(description="Its mean.")
    std: float = Field(description="Its standard deviation.")


class ConfusionMatrix(_Part):
    """How often which label was taken for which."""

    labels: list[Any] = Field(description="The labels, in the order of rows and columns.")
    counts: list[list[int]] = Field(description="Rows of the table: one list for each actual label, by predicted one.")
    left_out: int = Field(default=0, description="Rows of labels that are too many to be shown.")


class ClassScores(_Part):
    """How well one label is found."""

    label: Any = Field(description="The label.")
    precision: float | None = Field(description="Of the rows that are said to have it, the share that have it.")
    recall: float | None = Field(description="Of the rows that have it, the share that are found.")
    f1: float | None = Field(description="The harmonic mean of both.")
    support: int = Field(description="How many rows have it.")


class RocCurve(_Part):
    """True against false positives, for every threshold."""

    label: Any = Field(description="The label that is told from all others.")
    false_positive_rate: Numbers = Field(description="From 0 to 1.")
    true_positive_rate: Numbers = Field(description="From 0 to 1.")
    area: float = Field(description="The area below the curve.")


class PrecisionRecallCurve(_Part):
    """Precision against recall, for every threshold."""

    label: Any = Field(description="The label that is told from all others.")
    recall: Numbers = Field(description="From 1 to 0.")
    precision: Numbers = Field(description="From 0 to 1.")
    average_precision: float = Field(description="The mean of the precisions, weighted by the steps of the recall.")


class CalibrationCurve(_Part):
    """Whether of the rows that get a probability of 70 %, 70 % have the label."""

    label: Any = Field(description="The label.")
    predicted: Numbers = Field(description="The mean probability in each bin of rows.")
    observed: Numbers = Field(description="The share of rows in the bin that have the label.")
    rows: list[int] = Field(description="How many rows are in the bin.")


class Curves(_Part):
    """The curves of a classifier that gives probabilities or scores."""

    roc: list[RocCurve] = Field(default=[], description="For two labels that of the second one, else one for each.")
    precision_recall: list[PrecisionRecallCurve] = Field(default=[], description="The same.")
    calibration: list[CalibrationCurve] = Field(default=[], description="The same.")


class Residuals(_Part):
    """How far the numbers of a regressor are off: actual less predicted."""

    mean: float = Field(description="Above 0, it says too little on average.")
    quantiles: dict[str, float] = Field(description="Of the distances: half of the rows are off by at most `0.5`.")
    edges: Numbers = Field(description="The edges of the bins of the histogram of residuals.")
    counts: list[int] = Field(description="How many rows are in each bin.")
    points: list[Range] = Field(description="Predicted and actual number of some rows, drawn at random.")


class Importance(_Part):
    """How much worse the main metric becomes when the values of one column are shuffled."""

    column: str = Field(description="The raw column.")
    mean: float = Field(description="The mean over some shuffles.")
    std: float = Field(description="The standard deviation.")


class PartialDependence(_Part):
    """What the model says on average when all rows have the same value in one column."""

    column: str = Field(description="The raw column.")
    label: Any = Field(default=None, description="The label whose probability it is; null for numbers.")
    values: list[Any] = Field(description="The values that the column is set to.")
    means: Numbers = Field(description="The mean probability or number for each.")


class Slice(_Part):
    """The metrics of the rows that have one value, or values of one range, in a column."""

    column: str = Field(description="The raw column.")
    value: str = Field(description="The value or the range.")
    rows: int = Field(description="How many rows those are.")
    metrics: dict[str, float] = Field(description="Their metrics.")


class WorstRow(_Part):
    """A row that the model gets most wrong: look whether the row or the model is at fault."""

    row: int = Field(description="Its number in the table; the first row of values is 1.")
    actual: Any = Field(description="What the target is.")
    predicted: Any = Field(description="What the model says.")
    error: float = Field(description="Actual less predicted number, or 1 less the probability of the actual label.")
    values: dict[str, Any] = Field(description="Its values in the columns that matter most.")


class Promise(_Part):
    """Of an interval or a set of labels around each prediction: what is promised, and what came of it."""

    level: float = Field(description="The share of rows for which the truth is to be inside.")
    margin: float = Field(
        description="How far an interval reaches to either side, or the least probability of a label in a set."
    )
    rows: int = Field(description="From how many rows, predicted by models that had not seen them, this follows.")
    coverage: float = Field(description="The share of test rows for which the truth is inside.")
    size: float = Field(description="The mean length of an interval, or number of labels in a set, on test rows.")


class CurvePoint(_Part):
    """How well models do that learnt from so many rows."""

    rows: int = Field(description="The rows to learn from.")
    folds: int = Field(description="How many folds have so many.")
    training: MetricSpread = Field(description="The metric on the rows that they learnt from, over these folds.")
    validation: MetricSpread = Field(description="The metric on the rows that they have not seen.")


class LearningCurve(_Part):
    """Whether more rows would help: the metric over the number of rows to learn from."""

    metric: str = Field(description="The metric.")
    points: list[CurvePoint] = Field(description="From few rows to all that a fold has.")


class Standing(_Part):
    """How a model stands among those that one job trained on the same rows."""

    rank: int = Field(description="Its place, 1 for the best.")
    of: int = Field(description="How many models were ranked.")
    metric: str = Field(description="The metric that they are ranked by.")
    measured_on: Literal["folds", "test_rows"] = Field(
        description="Whether `score` is the mean over the folds, or the metric on the rows that were kept back."
    )
    score: float | None = Field(description="What the model reaches; null where that is no number.")
    interval: Range | None = Field(description="The range of the metric that `intervals` tells, if it does.")
    within_noise: bool | None = Field(
        description="Whether its interval overlaps that of the best one, so that these rows do not tell the two apart; "
        "false for the best one itself, null without an interval."
    )


class Assessment(_Part):
    """All parts that there are; what is missing is explained by a note."""

    main_metric: str | None = Field(default=None, description="The metric that slices and importances are about.")
    intervals: dict[str, Range] = Field(
        default={}, description="Of each metric, the range that holds it in 95 of 100 draws of test rows."
    )
    folds: list[Fold] = Field(default=[], description="Models fitted on parts of the training rows.")
    spread: dict[str, MetricSpread] = Field(default={}, description="Mean and deviation of each metric over the folds.")
    confusion_matrix: ConfusionMatrix | None = Field(default=None, description="For classifiers.")
    per_class: list[ClassScores] = Field(default=[], description="For classifiers.")
    curves: Curves | None = Field(default=None, description="For classifiers with probabilities or scores.")
    residuals: Residuals | None = Field(default=None, description="For regressors.")
    importance: list[Importance] = Field(default=[], description="Columns by what they contribute, the most first.")
    partial_dependence: list[PartialDependence] = Field(default=[], description="Of the columns that matter most.")
    slices: list[Slice] = Field(default=[], description="Metrics by value of the columns that matter most.")
    worst_rows: list[WorstRow] = Field(default=[], description="The rows that are most wrong, the worst first.")
    uncertainty: Promise | None = Field(default=None, description="What `interval` of a prediction is worth.")
    threshold: ThresholdTold | None = Field(
        default=None, description="From when a label is said, where that is not left to the estimator."
    )
    learning_curve: LearningCurve | None = Field(
        default=None, description="How well it does with fewer rows, where the request asked for that."
    )
    costs: Costs | None = Field(default=None, description="What the model takes.")
    standing: Standing | None = Field(
        default=None,
        description="Its rank among the models of its job, whose `leaderboard` is in the result of "
        "`GET /jobs/{job_id}`; null where the job trained one model.",
    )
    search: Search | None = Field(
        default=None, description="How its parameters were sought; null where the request named them."
    )
    notes: list[str] = Field(default=[], description="What was left out or shortened, and why.")
