"""What has changed between two versions of a dataset."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.dependencies import PartsDep
from api.http.problems import responses
from api.pages.diff import page_of_diff
from api.pages.frame import WantsPage
from api.parts import Parts
from api.routes.datasets import Name, number_of
from api.schemas.base import WrittenVersion
from api.schemas.diff import DatasetDiff
from shared.datasets.diffs import drift_of, find_pair

router = APIRouter(tags=["Datasets"])


@router.get(
    "/datasets/{name}/diff",
    summary="Show what has changed between two versions",
    operation_id="compare_dataset_versions",
    response_model=DatasetDiff,
    responses=responses(404, 413, 422, 503),
)
async def compare_dataset_versions(
    *,
    name: Name,
    parts: PartsDep,
    wants_page: WantsPage,
    before: Annotated[
        WrittenVersion | None,
        Query(alias="from", description="The version to begin with; by default the one before `to`."),
    ] = None,
    after: Annotated[
        WrittenVersion | None, Query(alias="to", description="The version to compare; by default the newest.")
    ] = None,
) -> Response:
    """Columns that came, went, or are read in another way, and how far the values of the others have moved.

    Drift is told from rows of both files, which are read anew: by the population stability index, held against what
    matters and against what chance makes of so many rows. Browsers get a page with pictures.
    """
    numbers = [None if version is None else number_of(name, version) for version in (before, after)]
    return await parts.lanes.preview(lambda: _diff(parts, name, *numbers, wants_page=wants_page))


def _diff(parts: Parts, name: str, before: int | None, after: int | None, *, wants_page: bool) -> Response:
    # The transaction ends before the object store is asked.
    with parts.database.read() as session:
        pair = find_pair(session, name, before, after)
    found = drift_of(pair, store=parts.store, bucket=parts.settings.datasets_bucket, reader=parts.reader)
    told = DatasetDiff.of_pair(name, pair, found)
    if wants_page:
        return page_of_diff(told)
    return Response(told.model_dump_json(by_alias=True), media_type="application/json", headers={"Vary": "Accept"})
