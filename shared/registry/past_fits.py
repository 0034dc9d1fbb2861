"""How long a fit will take, by what earlier fits of the same estimator took; a guess, and told as one."""

from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.datasets.rows import DatasetVersionRow
from shared.estimators.catalogue import find_estimator
from shared.registry.rows import RegistryRow
from shared.training.spec import TrainingSpec

# Only the newest models are looked at: times of an old release or machine say little.
_NEWEST = 1000
_MOST_COMPARED = 20


class _Past(NamedTuple):
    version: int
    seconds: float
    parameters: dict[str, Any]
    dataset_version_id: int


def expected_fit_seconds(session: Session, spec: TrainingSpec, source: DatasetVersionRow) -> float | None:
    """The seconds of the most similar fit of this estimator that ended well, scaled by the size of the table.

    A fit to the same dataset version is preferred, then one with fewer differing parameters, then the newest one.
    None when there is none.
    """
    estimator = find_estimator(spec.model.module, spec.model.class_)
    parameters = {name: parameter.default for name, parameter in estimator.parameters.items()} | spec.model.params
    past = _past_fits(session, estimator.key)
    if not past:
        return None

    def closeness(fit: _Past) -> tuple[bool, int, int]:
        others = sum(fit.parameters.get(name) != value for name, value in parameters.items())
        return fit.dataset_version_id == source.id, -others, fit.version

    closest = max(past, key=closeness)
    return closest.seconds * _times_as_large(session, source, closest.dataset_version_id)


def _past_fits(session: Session, estimator: str) -> list[_Past]:
    newest = select(func.coalesce(func.max(RegistryRow.version), 0)).scalar_subquery()
    query = (
        select(
            RegistryRow.version,
            RegistryRow.report["fit_seconds"].as_float(),
            RegistryRow.parameters,
            RegistryRow.dataset_version_id,
        )
        .where(RegistryRow.version > newest - _NEWEST, RegistryRow.estimator == estimator)
        .order_by(RegistryRow.version.desc())
        .limit(_MOST_COMPARED)
    )
    return [past for past in (_Past(*row) for row in session.execute(query)) if past.seconds]


def _times_as_large(session: Session, source: DatasetVersionRow, other_id: int) -> float:
    """Rows by columns of the table, as a multiple of those of the other."""
    other = session.get_one(DatasetVersionRow, other_id)
    return (source.rows * len(source.columns)) / max(1, other.rows * len(other.columns))
