"""Registered models as clients see them."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import Field, field_validator

from api.schemas.base import RequestBody, ResponseBody
from shared.registry.rows import DeploymentRow
from shared.registry.versions import RegisteredModel


class Deployment(ResponseBody):
    """One stay of a version in a stage."""

    stage: str = Field(examples=["staging"])
    active: bool
    artifact_path: str = Field(examples=["my_dataset_model_staging_v1.pkl"])
    sha256: str
    size_bytes: int
    created_at: datetime
    created_by: str
    retired_at: datetime | None
    retired_reason: str | None

    @classmethod
    def of(cls, row: DeploymentRow) -> Self:
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

    version: int
    dataset_name: str
    dataset_version: int
    stage: str
    artifact_path: str
    estimator: str = Field(examples=["ensemble.RandomForestClassifier"])
    parameters: dict[str, Any]
    metrics: dict[str, Any]
    signature: dict[str, Any] = Field(description="The inputs in the order of `features`, the target and the labels.")
    report: dict[str, Any]
    trained_at: datetime
    promoted_at: datetime | None
    deployments: list[Deployment]
    job_id: UUID
    sha256: str
    environment: dict[str, str] = Field(description="The versions of the libraries that fitted it.")

    @classmethod
    def of(cls, model: RegisteredModel) -> Self:
        """The model that the registry holds."""
        row = model.row
        return cls(
            version=row.version,
            dataset_name=model.dataset_name,
            dataset_version=model.dataset_version,
            stage=row.stage,
            artifact_path=row.artifact_path,
            estimator=row.estimator,
            parameters=row.parameters,
            metrics=row.metrics,
            signature=row.signature,
            report=row.report,
            trained_at=row.trained_at,
            promoted_at=row.promoted_at,
            deployments=[Deployment.of(deployment) for deployment in model.deployments],
            job_id=row.job_id,
            sha256=model.sha256,
            environment=row.environment,
        )


class ComparedValue(ResponseBody):
    """One value per compared version, in their order; null where a version has none."""

    name: str = Field(examples=["accuracy"])
    values: list[Any] = Field(examples=[[0.93, 0.97]])
    differs: bool


class Comparison(ResponseBody):
    """Several models side by side."""

    versions: list[int]
    facts: list[ComparedValue]
    metrics: list[ComparedValue]
    parameters: list[ComparedValue]


class RetireRequest(RequestBody):
    """Where a version is no longer to serve, and why."""

    stage: str = Field(examples=["production"])
    reason: str | None = Field(default=None, max_length=1000, examples=["worse than the one before on new data"])

    @field_validator("reason")
    @classmethod
    def _clean(cls, reason: str | None) -> str | None:
        return reason.strip() or None if reason is not None else None


class Retirement(ResponseBody):
    """A version that no longer serves in a stage; `serving_version` does now, if it is not null."""

    version: int
    dataset_name: str
    stage: str
    reason: str | None
    retired_at: datetime
    serving_version: int | None
