"""The registered models as a list: some of them, newest first or best first."""

from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from shared.datasets.catalog import check_name
from shared.datasets.rows import DatasetRow
from shared.errors import InvalidRequest, UnknownEstimator, closest, meant
from shared.estimators.catalogue import all_estimators
from shared.evaluation.metric_names import BETTER
from shared.registry.rows import DeploymentRow, ModelTagRow, RegistryRow
from shared.registry.versions import RegisteredModel, load_models, models_query

_SHOWN = 80

_Models = Select[RegistryRow, str, int | None]


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

    Raises:
        UnknownDataset, UnknownEstimator: when nothing is found because a filter is misspelt.
    """
    query = models_query().where(*_conditions(wanted)).limit(limit)
    query = _by_version(query, after) if sort is None else _by_metric(query, sort, after)
    found = load_models(session, query)
    if not found and after is None:
        _check_filter(session, wanted)
    return found


def _by_version(query: _Models, after: ListedAt | None) -> _Models:
    query = query.order_by(RegistryRow.version.desc())
    return query if after is None else query.where(RegistryRow.version < after.version)


def _by_metric(query: _Models, sort: str, after: ListedAt | None) -> _Models:
    value = RegistryRow.metrics[sort].as_float()
    rising = BETTER[sort] is min
    query = query.where(value.is_not(None))
    query = query.order_by(value.asc() if rising else value.desc(), RegistryRow.version.desc())
    if after is not None:
        worse = value > after.value if rising else value < after.value
        query = query.where(or_(worse, and_(value == after.value, RegistryRow.version < after.version)))
    return query


def _check_filter(session: Session, wanted: ModelFilter) -> None:
    """Make sure that there is, or was, such a dataset, and an estimator that can be trained or has been."""
    if wanted.dataset_name is not None:
        check_name(session, wanted.dataset_name)
    name = wanted.estimator
    if name is None or session.scalar(select(RegistryRow.version).where(_made_by(name)).limit(1)) is not None:
        return
    keys = [estimator.key for estimator in all_estimators()]
    known = keys if "." in name else [key.partition(".")[2] for key in keys]
    if name not in known:
        near = closest(name, known)
        hint = meant(near) or " GET /estimators lists the estimators."
        sentence = f"There is no estimator '{name[:_SHOWN]}'.{hint}"
        raise UnknownEstimator(sentence, errors=[{"loc": ["query", "estimator"], "msg": sentence}], did_you_mean=near)


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
        conditions.append(_made_by(wanted.estimator))
    if wanted.tag is not None:
        conditions.append(RegistryRow.version.in_(select(ModelTagRow.version).where(ModelTagRow.tag == wanted.tag)))
    return conditions


def _made_by(estimator: str) -> ColumnElement[bool]:
    """Models of a class, which is named with its module or without it."""
    return or_(RegistryRow.estimator == estimator, RegistryRow.estimator.endswith(f".{estimator}", autoescape=True))
