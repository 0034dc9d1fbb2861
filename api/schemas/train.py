"""Bodies of training."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from api.schemas.annotations import Note, Tags
from api.schemas.base import RequestBody, VersionNumber
from api.schemas.batches import BatchesRequest
from api.schemas.queue import LimitsRequest, Pool, Priority
from api.schemas.search import SearchRequest
from api.schemas.split import SplitRequest
from api.schemas.threshold import ThresholdOrNumber
from shared.jobs.rows import MIDDLE_PRIORITY
from shared.settings import DEFAULT_POOL
from shared.training.preprocessing import ColumnChoice
from shared.training.spec import DEFAULT_TEST_SIZE, MOST_MODELS


class EstimatorRequest(RequestBody):
    """An estimator as scikit-learn names it; `GET /estimators` lists them with their parameters."""

    module: str = Field(description="The module of scikit-learn.", examples=["ensemble"])
    class_: str = Field(description="The class in that module.", alias="class", examples=["RandomForestClassifier"])
    params: dict[str, Any] = Field(
        default_factory=dict,
        max_length=100,
        description="Parameters that differ from scikit-learn's defaults. Where `GET /estimators` says that one "
        "`takes_model`, it holds another `{module, class, params}`, or a list of pairs `[name, model]`.",
        examples=[{"n_estimators": 100}],
    )


class TrainRequest(RequestBody):
    """What to train on which columns of which table."""

    dataset_name: str = Field(description="The dataset to learn from, or the bundled example.", examples=["my_dataset"])
    use_example: bool = Field(
        default=False,
        description="`dataset_name` is a bundled example (iris, wine, breast_cancer, diabetes); it is catalogued now "
        "if it was not. A dry run catalogues nothing.",
    )
    dataset_version: VersionNumber | None = Field(
        default=None, description="The newest one unless given.", examples=[None]
    )
    model: EstimatorRequest | None = Field(
        default=None, exclude_if=lambda model: model is None, description="The estimator to fit; or else `models`."
    )
    models: Annotated[list[EstimatorRequest], Field(min_length=1, max_length=MOST_MODELS)] | Literal["auto"] | None = (
        Field(
            default=None,
            exclude_if=lambda models: models is None,
            description="Several estimators to fit and to rank, instead of `model`; `auto` for those that are "
            "usual for such a target.",
            examples=[None],
        )
    )
    search: SearchRequest | None = Field(
        default=None,
        exclude_if=lambda search: search is None,
        description="Look for good parameters of `model` before it is fitted; see docs/search.md. Not with `models`.",
        examples=[None],
    )
    target_column: str | None = Field(
        default=None, description="Required; `target` for an example unless given.", examples=["target"]
    )
    features: list[str] | None = Field(
        default=None,
        max_length=5_000,
        description="The columns to learn from, in the order in which predictions give them; all others unless given.",
        examples=[None],
    )
    sample_weight: str | None = Field(
        default=None,
        exclude_if=lambda weight: weight is None,
        description="A column of numbers from 0 on that says how much each row counts in the fit. It is no input. "
        "Metrics count each row once.",
        examples=[None],
    )
    preprocessing: Literal["auto", "none"] | Annotated[dict[str, ColumnChoice], Field(max_length=5_000)] = Field(
        default="auto",
        exclude_if=lambda preprocessing: preprocessing == "auto",
        description="What is done to the columns before the estimator: `auto` treats each as its kind and the "
        "estimator need it, `none` gives numbers, booleans and dates to it as they are, and an object says by column "
        "what is to be done in another way. `dry_run` tells what is done to which column.",
        examples=["auto"],
    )
    test_size: float = Field(
        default=DEFAULT_TEST_SIZE,
        description="The share of rows that is kept to measure on.",
        json_schema_extra={"exclusiveMinimum": 0, "exclusiveMaximum": 1},
    )
    split: SplitRequest | None = Field(
        default=None,
        exclude_if=lambda split: split is None,
        description="How these rows are chosen, and the folds of the others; at random unless given.",
        examples=[None],
    )
    threshold: ThresholdOrNumber | None = Field(
        default=None,
        exclude_if=lambda threshold: threshold is None,
        description="For a classifier of two labels: from which probability on it says the positive one. A number, or "
        "what it is to be chosen for, on folds of the rows to fit; the estimator's own answer unless given.",
        examples=[None],
    )
    learning_curve: bool = Field(
        default=False,
        exclude_if=lambda asked: not asked,
        description="Fit models to a tenth of the rows, and to ever more of them, on each fold: the report shows "
        "whether more rows would help. It may take a third of the time that the job has left.",
    )
    batches: BatchesRequest | None = Field(
        default=None,
        exclude_if=lambda batches: batches is None,
        description="Show the rows to the estimator some at a time, so that a table larger than the memory of the job "
        "can be learnt from; for estimators that `learns_in_batches` of `GET /estimators` names. See docs/training.md.",
        examples=[None],
    )
    random_state: int = Field(
        default=42,
        ge=0,
        le=2**32 - 1,
        description="Decides the split, and the estimator's chance unless its parameters do.",
    )
    reuse: bool = Field(
        default=False,
        exclude_if=lambda reuse: not reuse,
        description="Answer 200 with the finished job of the same training, and the header `X-Reused: true`, where its "
        "model is active and the libraries are still the same; else train as usual.",
    )
    tags: Tags = Field(
        default=[],
        exclude_if=lambda tags: not tags,
        description="The tags of the models that come of it, at most 20 words as those of `PATCH /models/{version}`.",
        examples=[[]],
    )
    note: Note | None = Field(
        default=None,
        exclude_if=lambda note: note is None,
        description="The note on the models that come of it.",
        examples=[None],
    )
    priority: Priority = MIDDLE_PRIORITY
    pool: Pool = DEFAULT_POOL
    limits: LimitsRequest = Field(
        default=LimitsRequest(),
        description="Stricter limits of time and memory than those of the platform, and a number of cores.",
    )

    @property
    def named(self) -> list[EstimatorRequest]:
        """The estimators that the request names itself."""
        if self.model is not None:
            return [self.model]
        return [] if self.models is None or isinstance(self.models, str) else self.models

    @property
    def share_to_measure_on(self) -> float:
        """The share that `split` or the request itself names."""
        return self.test_size if self.split is None or self.split.test_size is None else self.split.test_size

    @model_validator(mode="after")
    def _one_or_several(self) -> Self:
        if (self.model is None) is (self.models is None):
            raise ValueError("name what to fit either in 'model', or in 'models' if it is several or 'auto'")
        return self

    @model_validator(mode="after")
    def _search_of_one(self) -> Self:
        if self.search is not None and self.model is None:
            raise ValueError("'search' looks for parameters of one 'model'; name that instead of 'models'")
        return self

    @model_validator(mode="after")
    def _batches_of_named_models(self) -> Self:
        if self.batches is not None and self.models == "auto":
            raise ValueError("most of the usual models need the whole table; with 'batches', name each of 'models'")
        return self

    @model_validator(mode="after")
    def _one_share(self) -> Self:
        if "test_size" in self.model_fields_set and self.share_to_measure_on != self.test_size:
            raise ValueError("'test_size' and 'split.test_size' differ; name the share once")
        return self

    @model_validator(mode="after")
    def _one_table(self) -> Self:
        if self.use_example and self.dataset_version is not None:
            raise ValueError("an example has one version; leave out 'dataset_version' or 'use_example'")
        return self
