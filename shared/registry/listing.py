"""The registered models as a list: some of them, newest first or best first."""

from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from shared.datasets.rows import DatasetRow
from shared.errors import InvalidRequest, closest, meant
from shared.registry.comparison import BETTER
from shared.registry.rows import DeploymentRow, ModelTagRow, RegistryRow
from shared.registry.versions import RegisteredModel, load_models, models_query


@dataclass(frozen=True)
class ModelFilter:
    """Which models are asked for; None asks for all."""

    dataset_name: str | None = None
    # Where they are active.
    stage: str | None = None
    # The column that they predict.
    target: str | None = None
    # The class, with its module or without it.
    estimator: str | None = None
    tag: str | None = None


class ListedAt(NamedTuple):
    """Where a list goes on: behind this version, and behind this value where it is sorted by a metric."""

    version: int
    value: float | None = None


def list_models(
    session: Session, wanted: ModelFilter, *, limit: int, sort: str | None = None, after: ListedAt | None = None
) -> list[RegisteredModel]:
    """The newest models first, or the best by the metric `sort`; models without that metric are left out.

    `after` names an item and not a number of items, so that new models neither repeat nor hide any on later pages.
    """
    query = models_query().where(*_conditions(wanted)).limit(limit)
    if sort is None:
        query = query.order_by(RegistryRow.version.desc())
        return load_models(session, query if after is None else query.where(RegistryRow.version < after.version))
    value = RegistryRow.metrics[sort].as_float()
    rising = BETTER[sort] is min
    query = query.where(value.is_not(None))
    query = query.order_by(value.asc() if rising else value.desc(), RegistryRow.version.desc())
    if after is not None:
        worse = value > after.value if rising else value < after.value
        query = query.where(or_(worse, and_(value == after.value, RegistryRow.version < after.version)))
    return load_models(session, query)


def check_metric(name: str) -> None:
    """Make sure that models can be sorted by a metric.

    Raises:
        InvalidRequest: listing those by which they can.
    """
    if name not in BETTER:
        near = closest(name, BETTER)
        sentence = f"Models cannot be sorted by '{name}', but by {', '.join(BETTER)}.{meant(near)}"
        errors = [{"loc": ["query", "sort"], "msg": sentence}]
        raise InvalidRequest(sentence, errors=errors, did_you_mean=near, available=BETTER)


def _conditions(wanted: ModelFilter) -> list[ColumnElement[bool]]:
    conditions = []
    if wanted.dataset_name is not None:
        conditions.append(DatasetRow.name == wanted.dataset_name)
    if wanted.stage is not None:
        there = (DeploymentRow.stage == wanted.stage, DeploymentRow.retired_at.is_(None))
        conditions.append(RegistryRow.version.in_(select(DeploymentRow.version).where(*there)))
    if wanted.target is not None:
        conditions.append(RegistryRow.target == wanted.target)
    if wanted.estimator is not None:
        whole = RegistryRow.estimator == wanted.estimator
        conditions.append(or_(whole, RegistryRow.estimator.endswith(f".{wanted.estimator}", autoescape=True)))
    if wanted.tag is not None:
        conditions.append(RegistryRow.version.in_(select(ModelTagRow.version).where(ModelTagRow.tag == wanted.tag)))
    return conditions
