"""What is to be trained, with every choice made: the request of a train job."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.errors import UnreadableRequest


class EstimatorChoice(BaseModel):
    """An estimator by module and class, as scikit-learn names it, with the parameters that differ from its defaults."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    module: str
    class_: str = Field(alias="class")
    params: dict[str, Any] = Field(default_factory=dict)


class TrainingSpec(BaseModel):
    """One training, reproducible: the version of the dataset is named and no default is left open."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset_name: str
    dataset_version: int
    model: EstimatorChoice
    target_column: str
    features: list[str] | None = None
    test_size: float = 0.2
    random_state: int = 42

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
                "The stored request does not fit this version of the platform. Send it again with POST /train."
            ) from error

    def to_store(self) -> dict[str, Any]:
        """The JSON that `stored` reads, with the field names of the API."""
        return self.model_dump(mode="json", by_alias=True)
