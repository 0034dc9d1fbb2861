"""The estimators that can be trained."""

from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Path, Query

from api.dependencies import PartsDep
from api.http.pagination import Page, PageQueryDep, make_page
from api.http.problems import responses
from api.parts import Parts
from api.schemas.estimators import EstimatorDescription
from shared.errors import EstimatorNotListed, Unavailable, UnknownEstimator
from shared.estimators.catalogue import all_estimators, find_estimator
from shared.estimators.own.rows import refresh
from shared.estimators.signature import Task

router = APIRouter(tags=["Train"])


@router.get("/estimators", summary="List the estimators", responses=responses(422))
def list_estimators(
    parts: PartsDep,
    page: PageQueryDep,
    task: Annotated[Task | None, Query(description="Only those for this task.")] = None,
    module: Annotated[str | None, Query(description="Only those of this module.", examples=["ensemble"])] = None,
) -> Page[EstimatorDescription]:
    """Every estimator that can be trained, with its parameters, their defaults and what they may be."""
    _look_at_own(parts)
    after = page.after_text()
    found = [
        estimator
        for estimator in all_estimators()
        if task in {None, estimator.task}
        and module in {None, estimator.module}
        and (after is None or estimator.key > after)
    ]
    return make_page(
        found[: page.limit + 1],
        page,
        item=EstimatorDescription.from_estimator,
        position=lambda estimator: [estimator.key],
    )


@router.get("/estimators/{module}/{class}", summary="Describe one estimator", responses=responses(404))
def get_estimator(
    parts: PartsDep,
    module: Annotated[str, Path(description="The module of scikit-learn.", examples=["ensemble"])],
    class_: Annotated[
        str, Path(alias="class", description="The class in that module.", examples=["RandomForestClassifier"])
    ],
) -> EstimatorDescription:
    """One estimator with its parameters, their defaults and what they may be."""
    _look_at_own(parts)
    try:
        return EstimatorDescription.from_estimator(find_estimator(module, class_))
    except UnknownEstimator as unknown:
        raise EstimatorNotListed(unknown.detail, **unknown.members) from None


def _look_at_own(parts: Parts) -> None:
    """Read how workers last described own packages; without a database, what was known before stays."""
    with suppress(Unavailable), parts.database.read() as session:
        refresh(session)
