"""Registered models as clients see them."""

from typing import Any, Self
from uuid import UUID

from pydantic import Field, field_validator

from api.schemas.annotations import Note, Tags
from api.schemas.base import Moment, RequestBody, ResponseBody
from shared.compiled.compilation import Compilation
from shared.registry.rows import DeploymentRow
from shared.registry.versions import RegisteredModel


class Deployment(ResponseBody):
    """One stay of a version in a stage."""

    stage: str = Field(description="The stage.", examples=["staging"])
    active: bool = Field(description="Whether it is active there: not retired.")
    artifact_path: str = Field(description="The name of its file there.", examples=["my_dataset_model_staging_v1.pkl"])
    sha256: str = Field(description="The digest of the file, in hexadecimal digits.")
    size_bytes: int = Field(description="The size of the file.")
    created_at: Moment = Field(description="When it came there.")
    created_by: str = Field(description="What brought it there: a worker, on behalf of a job.")
    retired_at: Moment | None = Field(description="When it was retired from there.")
    retired_reason: str | None = Field(description="Why it was retired from there.")

    @classmethod
    def from_row(cls, row: DeploymentRow) -> Self:
        """The deployment that a row holds."""
        return cls(
            stage=row.stage,
            active=row.retired_at is None,
            artifact_path=row.artifact_path,
            sha256=row.sha256,
            size_bytes=row.size_bytes,
            created_at=row.created_at,
            created_by=row.created_by,
            retired_at=row.retired_at,
            retired_reason=row.retired_reason,
        )


class Model(ResponseBody):
    """A registered model; `stage` and `artifact_path` are those of the furthest stage that it reached."""

    version: int = Field(description="Its number, counted through over all datasets.")
    dataset_name: str = Field(description="The dataset that it was trained on.")
    dataset_version: int = Field(description="The version of that dataset.")
    target: str = Field(description="The column that it predicts.", examples=["species"])
    stage: str = Field(description="The furthest stage that it reached.")
    artifact_path: str = Field(description="The name of its file in that stage.")
    estimator: str = Field(
        description="What was fitted, as scikit-learn names it.", examples=["ensemble.RandomForestClassifier"]
    )
    parameters: dict[str, Any] = Field(description="The estimator's parameters, with the defaults.")
    metrics: dict[str, Any] = Field(description="How well it does on the rows that were kept from the training.")
    rows_measured: int | None = Field(
        description="How many rows its metrics come from: with fewer than 10 they are rough estimates.", examples=[30]
    )
    signature: dict[str, Any] = Field(description="The inputs in the order of `features`, the target and the labels.")
    report: dict[str, Any] = Field(
        description="What was done to which column, how the rows were split, and more about the metrics."
    )
    trained_at: Moment = Field(description="When it was trained.")
    promoted_at: Moment | None = Field(description="When it was last promoted.")
    deployments: list[Deployment] = Field(description="All its stays in stages, the earliest first.")
    job_id: UUID = Field(description="The job that trained it; `POST /jobs/{job_id}/retry` trains the same again.")
    sha256: str = Field(description="The digest of its file, the same in every stage, in hexadecimal digits.")
    environment: dict[str, str] = Field(description="The versions of the libraries that fitted it.")
    tags: list[str] = Field(description="The words that somebody put on it, in their order.", examples=[["baseline"]])
    note: str | None = Field(description="What somebody noted about it.")
    compilation: Compilation | None = Field(
        description="Whether a compiled form answers its predictions, and how it compares with scikit-learn; null for "
        "a model of a release that made none."
    )

    @classmethod
    def from_registered(cls, model: RegisteredModel) -> Self:
        """The model that the registry holds."""
        row = model.row
        return cls(
            version=row.version,
            dataset_name=model.dataset_name,
            dataset_version=model.dataset_version,
            target=row.target,
            stage=row.stage,
            artifact_path=row.artifact_path,
            estimator=row.estimator,
            parameters=row.parameters,
            metrics=row.metrics,
            rows_measured=model.rows_measured,
            signature=_shown_signature(row.signature),
            report=row.report,
            trained_at=row.trained_at,
            promoted_at=row.promoted_at,
            deployments=[Deployment.from_row(deployment) for deployment in model.deployments],
            job_id=row.job_id,
            sha256=model.sha256,
            environment=row.environment,
            tags=model.tags,
            note=row.note,
            compilation=model.compilation,
        )


def _shown_signature(signature: dict[str, Any]) -> dict[str, Any]:
    # Kinds and findings of the dataset version tell people how cells are read; `cells` is for who reads them.
    inputs = [{name: value for name, value in column.items() if name != "cells"} for column in signature["inputs"]]
    return signature | {"inputs": inputs}


class ComparedValue(ResponseBody):
    """One value per compared version, in their order; null where a version has none."""

    name: str = Field(description="What is compared.", examples=["accuracy"])
    values: list[Any] = Field(description="One per version, in their order.", examples=[[0.93, 0.97]])
    differs: bool = Field(description="Whether the values are not all equal.")


class ComparedMetric(ComparedValue):
    """A metric of the compared versions."""

    best: list[int] = Field(
        description="The versions that do best by it; none if all do as well, or were not measured on the same rows.",
        examples=[[2]],
    )


class Comparison(ResponseBody):
    """Several models side by side."""

    versions: list[int] = Field(description="The compared versions, in the order in which they were asked for.")
    facts: list[ComparedValue] = Field(description="Where they come from and where they are.")
    metrics: list[ComparedMetric] = Field(description="Their metrics by name.")
    parameters: list[ComparedValue] = Field(description="Their parameters by name.")


class ModelChange(RequestBody):
    """What to write on a model; what is left out stays as it is."""

    tags: Tags | None = Field(
        default=None,
        description="Its tags from now on: at most 20 words of 1 to 64 letters, digits and `._:/=@+-`; null takes all "
        "of them away.",
        examples=[["baseline", "team:fraud"]],
    )
    note: Note | None = Field(
        default=None,
        description="Its note from now on; null takes it away.",
        examples=["the first one without the postcode"],
    )


class RetireRequest(RequestBody):
    """Where a version is no longer to serve, and why."""

    stage: str = Field(description="Where it is no longer to serve.", examples=["production"])
    reason: str | None = Field(
        description="Why, for those who look at it later.",
        default=None,
        max_length=1000,
        examples=["worse than the one before on new data"],
    )
    replace_target: bool = Field(
        default=False,
        description="Let a version that predicts another column serve there afterwards. Without it a retirement that "
        "leads to that is refused (`target_differs`).",
    )

    @field_validator("reason")
    @classmethod
    def _clean(cls, reason: str | None) -> str | None:
        return reason.strip() or None if reason is not None else None


class Retirement(ResponseBody):
    """A version that no longer serves in a stage; `serving_version` does now, if it is not null."""

    version: int = Field(description="The version that was retired.")
    target: str = Field(description="The column that it predicts.")
    dataset_name: str = Field(description="The dataset that it was trained on.")
    stage: str = Field(description="Where it no longer serves.")
    reason: str | None = Field(description="Why.")
    retired_at: Moment = Field(description="Since when.")
    serving_version: int | None = Field(description="The version that serves there now; null when none does.")
    serving_target: str | None = Field(description="The column that this one predicts; null when none serves.")
