"""All rows in one place, so that the schema is complete wherever this is imported."""

from shared.accounts.rows import ApiKeyRow, DatasetHolderRow, LoginSessionRow, UsedRefreshTokenRow, UserRow
from shared.audit.rows import AuditHeadRow, AuditRow
from shared.counters import CounterRow
from shared.database import Base
from shared.datasets.rows import DatasetRow, DatasetVersionRow, ErasedDatasetVersionRow
from shared.discarded import DiscardedObjectRow
from shared.estimators.own.rows import OwnEstimatorRow
from shared.jobs.rows import IdempotencyKeyRow, JobEventRow, JobLogRow, JobRow
from shared.registry.outputs import PredictionOutputRow
from shared.registry.rows import (
    AssessmentRow,
    CompilationRow,
    CompiledFormRow,
    DeploymentRow,
    ErasedModelRow,
    ModelTagRow,
    OrphanRow,
    PinRow,
    RegistryRow,
)

metadata = Base.metadata

__all__ = [
    "ApiKeyRow",
    "AssessmentRow",
    "AuditHeadRow",
    "AuditRow",
    "CompilationRow",
    "CompiledFormRow",
    "CounterRow",
    "DatasetHolderRow",
    "DatasetRow",
    "DatasetVersionRow",
    "DeploymentRow",
    "DiscardedObjectRow",
    "ErasedDatasetVersionRow",
    "ErasedModelRow",
    "IdempotencyKeyRow",
    "JobEventRow",
    "JobLogRow",
    "JobRow",
    "LoginSessionRow",
    "ModelTagRow",
    "OrphanRow",
    "OwnEstimatorRow",
    "PinRow",
    "PredictionOutputRow",
    "RegistryRow",
    "UsedRefreshTokenRow",
    "UserRow",
    "metadata",
]
