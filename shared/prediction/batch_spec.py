"""What a batch prediction is to do, with every choice made: the request of a predict job."""

from collections.abc import Collection, Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.errors import NoProbabilities, UnreadableRequest
from shared.estimators.signature import Signature
from shared.prediction.extras import Extras, Returned
from shared.tables.names import settled_name

Format = Literal["csv", "parquet"]

# As large as the database keeps them.
_LARGEST_VERSION = 2**31 - 1

ROW = "row"
PREDICTION = "prediction"
ERROR = "error"


class BatchInput(BaseModel):
    """The rows to predict for: one version of a dataset."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    dataset_name: str
    dataset_version: int = Field(ge=1, le=_LARGEST_VERSION)


class BatchSpec(BaseModel):
    """One batch prediction, by one version of a model, whatever serves when it runs."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)

    dataset_name: str
    environment: str
    version: int = Field(ge=1, le=_LARGEST_VERSION)
    target: str
    input: BatchInput
    keep: list[str]
    format: Format
    return_: list[Returned] = Field(alias="return")
    neutralise_formulas: bool = False

    @classmethod
    def stored(cls, request: dict[str, Any]) -> Self:
        """Read the request of a job.

        Raises:
            UnreadableRequest: when it does not fit this version of the platform.
        """
        try:
            return cls.model_validate(request)
        except ValidationError as error:
            raise UnreadableRequest(
                "The stored request does not fit this version of the platform. Send it again with POST /predict/batch."
            ) from error

    def to_store(self) -> dict[str, Any]:
        """The JSON that `stored` reads, with the field names of the API."""
        return self.model_dump(mode="json", by_alias=True)

    @property
    def wanted(self) -> Extras:
        """What is asked for beside the prediction."""
        return Extras.named_in(self.return_)


def added_columns(signature: Signature, wanted: Extras) -> list[str]:
    """The names of the columns that the output adds behind the row and the kept ones."""
    return [PREDICTION, *wanted.columns(signature), ERROR]


def columns_of_inputs(signature: Signature, columns: Collection[str]) -> Mapping[str, str]:
    """By each used input of a model that a table has, the name that the table has for it."""
    found = {column.name: _in_table(column.name, columns) for column in signature.inputs if column.used}
    return {name: at for name, at in found.items() if at is not None}


def no_probabilities(version: int, reason: str) -> NoProbabilities:
    """What is said of a model that has none."""
    sentence = f"Version {version} has no probabilities: {reason}. Leave 'probability' out of 'return'."
    return NoProbabilities(sentence, errors=[{"loc": ["body", "return"], "msg": "has no probabilities"}])


def _in_table(name: str, columns: Collection[str]) -> str | None:
    """The column of that name; models of older releases may know it by a name that was not cleaned."""
    known = settled_name(name, columns)
    return known if known in columns else None
