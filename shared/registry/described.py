"""What is known of the versions that serve: their signatures, and the columns that they learnt from."""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.datasets.rows import DatasetVersionRow
from shared.estimators.signature import Signature
from shared.registry.rows import RegistryRow
from shared.tables.columns import Column


class DescribedModel(NamedTuple):
    """A registered version; `columns` are those of its dataset, by name."""

    version: int
    estimator: str
    signature: Signature
    columns: dict[str, Column]


def described_models(session: Session, versions: Collection[int]) -> list[DescribedModel]:
    """What is known of each of these versions that is there."""
    query = (
        select(RegistryRow.version, RegistryRow.estimator, RegistryRow.signature, DatasetVersionRow.columns)
        .join(DatasetVersionRow, DatasetVersionRow.id == RegistryRow.dataset_version_id)
        .where(RegistryRow.version.in_(versions))
    )
    return [
        DescribedModel(version, estimator, Signature.model_validate(signature), _by_name(columns))
        for version, estimator, signature, columns in session.execute(query)
    ]


def _by_name(columns: list[dict[str, object]]) -> dict[str, Column]:
    return {column.name: column for column in map(Column.model_validate, columns)}
