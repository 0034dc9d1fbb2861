"""Bodies of prediction."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, SkipValidation

from api.schemas.base import RequestBody, ResponseBody, VersionNumber
from api.schemas.queue import LimitsRequest, Pool, Priority
from shared.jobs.rows import MIDDLE_PRIORITY
from shared.prediction.extras import Returned
from shared.settings import DEFAULT_POOL

Cell = float | bool | str | None


class InputData(RequestBody):
    """Rows for prediction, in one of the two forms; every cell is checked against the model's signature.

    The types here are for the reader: the signature knows better, and checks all cells at once. A string means what
    such a cell meant in the table that the model learnt from: a gap word is a missing value, and `1.234,56` is a number
    where the table had such numbers. Where the file tells strings from numbers itself, a string is no number.
    """

    features: Annotated[list[list[Cell]] | None, SkipValidation] = Field(
        default=None,
        description="Rows of values in the order of the model's signature; null is a missing value.",
        examples=[[[5.1, 3.5, 1.4, 0.2], [6.2, 3.4, 5.4, 2.3]]],
    )
    records: Annotated[list[dict[str, Cell]] | None, SkipValidation] = Field(
        default=None,
        description="Objects by column name; a column left out is a missing value. The target is ignored where it "
        "is among them, with a warning.",
        examples=[[{"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}]],
    )


class ServingAddress(RequestBody):
    """Where the model is that is asked."""

    dataset_name: str = Field(description="The dataset whose model is asked.", examples=["my_dataset"])
    environment: str = Field(description="The stage in which the model is active.", examples=["staging"])


class RowsRequest(RequestBody):
    """What to predict, and how."""

    input_data: InputData = Field(description="The rows to predict for.")
    return_: list[Returned] = Field(
        default=["label"],
        alias="return",
        max_length=3,
        description="Ask for probabilities too, of classifiers that have them, and for the interval or the set of "
        "labels that holds the truth for the share of rows that the model promises.",
    )
    version: VersionNumber | None = Field(
        default=None, description="One active version, instead of the newest one that is active there."
    )
    target: str | None = Field(
        default=None,
        description="The column to predict, where versions of several targets are active: the newest one that "
        "predicts it answers.",
        examples=["species"],
    )


# The fields of the last base come first.
class PredictRequest(RowsRequest, ServingAddress):
    """What to predict, and with the model of which environment."""

    # Without it, the docs would fill in both forms of the input.
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "dataset_name": "my_dataset",
                    "environment": "staging",
                    "input_data": {"features": [[5.1, 3.5, 1.4, 0.2], [6.2, 3.4, 5.4, 2.3]]},
                }
            ]
        }
    )


class TypedPredictRequest(RowsRequest):
    """What to predict with the model of an address: `PredictRequest` without what the address says."""

    def with_place(self, dataset_name: str, environment: str) -> PredictRequest:
        """The same request to `POST /predict`."""
        return PredictRequest.model_construct(dataset_name=dataset_name, environment=environment, **dict(self))


class PredictAnswer(ResponseBody):
    """One prediction per row; for probabilities one list per row, in the order of `classes`."""

    dataset_name: str = Field(description="As asked.")
    environment: str = Field(description="As asked.")
    version: int = Field(description="The version that predicted.")
    target: str = Field(description="The column that was predicted.", examples=["species"])
    predictions: list[Any] = Field(description="One label or number per row.", examples=[[0, 2]])
    probabilities: list[list[float]] | None = Field(
        default=None,
        description="One list per row, in the order of `classes`; only if asked for.",
        examples=[[[0.98, 0.02, 0.0], [0.0, 0.1, 0.9]]],
    )
    classes: list[Any] | None = Field(
        default=None, description="The labels to which the probabilities belong.", examples=[[0, 1, 2]]
    )
    intervals: list[list[Any]] | None = Field(
        default=None,
        description="One list per row, only if asked for: the lower and the upper end around a number, or the labels "
        "that are likely enough. `signature.uncertainty` of the model says for which share of rows that holds.",
        examples=[[[0], [1, 2]]],
    )
    warnings: list[str] = Field(
        default=[], description="What is worth knowing of this answer; empty as a rule.", examples=[[]]
    )


class BatchRows(RequestBody):
    """The rows to predict for: a dataset, which need not be the one of the model."""

    dataset_name: str = Field(description="The dataset whose rows are predicted.", examples=["my_dataset"])
    dataset_version: VersionNumber | None = Field(
        default=None, description="The newest one unless given.", examples=[None]
    )


class BatchRequest(ServingAddress):
    """What to predict in the background, with the model of which environment."""

    version: VersionNumber | None = Field(
        default=None, description="One active version, instead of the newest one that is active there now."
    )
    target: str | None = Field(
        default=None, description="The column to predict, where versions of several targets are active."
    )
    input: BatchRows = Field(description="The rows to predict for.")
    keep: list[str] = Field(
        default=[],
        max_length=5_000,
        description="Columns of the input that the output repeats, as the input has them.",
        examples=[["id"]],
    )
    format: Literal["csv", "parquet"] = Field(default="csv", description="What the output is.")
    return_: list[Returned] = Field(
        default=["label"],
        alias="return",
        max_length=3,
        description="Ask for the probability of each class, too, of classifiers that have them, and for intervals of "
        "models that promise them.",
    )
    neutralise_formulas: bool = Field(
        default=False,
        description="Put an apostrophe before texts that begin with `=`, `+`, `-` or `@`, which programs for tables "
        "would take for formulas; numbers stay as they are. For CSV only.",
    )
    priority: Priority = MIDDLE_PRIORITY
    pool: Pool = DEFAULT_POOL
    limits: LimitsRequest = Field(
        default=LimitsRequest(),
        description="Stricter limits of time and memory than those of the platform, and a number of cores.",
    )
