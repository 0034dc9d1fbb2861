"""What is to be trained, with every choice made: the request of a train job, for one model or for several."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.errors import UnreadableRequest
from shared.estimators.catalogue import Estimator
from shared.estimators.needs import with_needs
from shared.estimators.thresholds import ThresholdChoice
from shared.estimators.tree import Node, read_tree
from shared.training.preprocessing import Preprocessing


class EstimatorChoice(BaseModel):
    """An estimator by module and class, as scikit-learn names it, with the parameters that differ from its defaults."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    module: str = Field(description="The module of scikit-learn.")
    class_: str = Field(description="The class in that module.", alias="class")
    params: dict[str, Any] = Field(description="Parameters that differ from scikit-learn's defaults.")

    def tree(self) -> Node:
        """The estimator with those that its parameters hold.

        Raises:
            UnknownEstimator: when there is no such estimator.
        """
        node, problems = read_tree(self.module, self.class_, self.params)
        if node is None:
            raise problems[0]
        return node

    def estimator(self) -> Estimator:
        """The estimator, with what it and those inside of it need.

        Raises:
            UnknownEstimator: when there is no such estimator.
        """
        return with_needs(self.tree())


SearchMethod = Literal["random", "halving", "grid", "optuna"]
SplitMethod = Literal["random", "grouped", "time"]

MOST_FOLDS = 20
MOST_MODELS = 20
MOST_TRIALS = 1_000
DEFAULT_TEST_SIZE = 0.2
LEAST_BATCH, USUAL_BATCH, MOST_BATCH = 1_000, 50_000, 1_000_000
MOST_PASSES = 100


class SplitChoice(BaseModel):
    """How the rows to measure on are chosen, and the folds of the others."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: SplitMethod = Field(
        default="random",
        description="`random` rows, stratified by class; `grouped`: all rows of one value of a column stay together; "
        "`time`: the last rows in the order of a column.",
    )
    by: str | None = Field(default=None, description="The column of the groups or of the time.")
    folds: int | None = Field(
        default=None,
        description="Of how many folds of the training rows models are fitted and measured, too; 0 for none, null for "
        "as many as are usual, if there is time.",
    )


class SearchChoice(BaseModel):
    """How parameters are sought; what is null stands for what is usual, and is filled in before a job is accepted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: SearchMethod = Field(
        description="`random` draws; `halving`: as many, most of them tried on few rows only; `grid`: all "
        "combinations; `optuna`: each draw learns from those before."
    )
    space: dict[str, Any] | None = Field(
        default=None,
        description="By parameter, `a__b` for `b` of the model inside of `a`: a list of choices, or a range `{low, "
        "high, log, int}`.",
    )
    trials: int | None = Field(default=None, description="How many combinations are tried.")
    metric: str | None = Field(default=None, description="What they are measured by, on folds of the training rows.")
    time_limit: float | None = Field(
        default=None, description="After so many seconds the best one so far is taken; null for what the job allows."
    )


class BatchesChoice(BaseModel):
    """How many rows a model is shown at a time, so that the table need not be in memory."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: int = Field(default=USUAL_BATCH, description="About how many rows there are in a batch.")
    passes: int = Field(default=1, description="How often all rows are shown.")


class TrainingChoices(BaseModel):
    """All of a training but what is fitted, reproducible: the version of the dataset is named, no default left open."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset_name: str = Field(description="The dataset.")
    dataset_version: int = Field(description="The version of the dataset.")
    target_column: str = Field(description="The column to predict.")
    features: list[str] | None = Field(
        default=None,
        description="The columns to learn from, in the order of predictions; null for all but the target.",
    )
    test_size: float = Field(default=DEFAULT_TEST_SIZE, description="The share of rows that is kept to measure on.")
    sample_weight: str | None = Field(
        default=None, description="The column that says how much each row counts in the fit; null for all alike."
    )
    preprocessing: Preprocessing = Field(
        default="auto",
        description="What is done to the columns: as is usual, nothing, or what is said of single ones.",
    )
    split: SplitChoice = Field(default=SplitChoice(), description="How these rows are chosen.")
    threshold: ThresholdChoice | None = Field(
        default=None,
        exclude_if=lambda threshold: threshold is None,
        description="From which probability on a classifier of two labels says the positive one; null for the "
        "estimator's own answer.",
    )
    learning_curve: bool = Field(
        default=False,
        exclude_if=lambda asked: not asked,
        description="Whether models are fitted to fewer rows, too, to see whether more would help.",
    )
    batches: BatchesChoice | None = Field(
        default=None,
        exclude_if=lambda batches: batches is None,
        description="How many rows are in memory at a time; null for all.",
    )
    random_state: int = Field(
        default=42, description="The seed of the split, and of the estimator unless its parameters set one."
    )
    tags: list[str] = Field(
        default=[], exclude_if=lambda tags: not tags, description="The tags of the models that come of it."
    )
    note: str | None = Field(
        default=None, exclude_if=lambda note: note is None, description="The note on the models that come of it."
    )

    def to_store(self) -> dict[str, Any]:
        """The JSON that `read_stored` reads, with the field names of the API."""
        return self.model_dump(mode="json", by_alias=True)


class TrainingSpec(TrainingChoices):
    """The training of one model."""

    model: EstimatorChoice = Field(description="The estimator to fit.")
    search: SearchChoice | None = Field(
        default=None,
        exclude_if=lambda search: search is None,
        description="How parameters of it are sought; those in `params` hold for what the search leaves alone.",
    )

    @property
    def candidates(self) -> list["TrainingSpec"]:
        """The trainings that a job of this makes: this one."""
        return [self]


class ContestSpec(TrainingChoices):
    """The training of several models on the same rows, to be ranked."""

    models: list[EstimatorChoice] = Field(description="The estimators to fit, in turn.")

    @property
    def candidates(self) -> list[TrainingSpec]:
        """The training of each, in their order."""
        same = {name: value for name, value in self if name != "models"}
        return [TrainingSpec(**same, model=model) for model in self.models]


JobSpec = TrainingSpec | ContestSpec


def read_stored(request: dict[str, Any]) -> JobSpec:
    """Read the request of a train job.

    Raises:
        UnreadableRequest: when it does not fit this version of the platform.
    """
    kind = ContestSpec if "models" in request else TrainingSpec
    try:
        return kind.model_validate(request)
    except ValidationError as error:
        raise UnreadableRequest(
            "The stored request does not fit this version of the platform. Send it again with POST /train."
        ) from error
