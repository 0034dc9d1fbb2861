"""Downloads of the files of models."""

from typing import Annotated, BinaryIO

from fastapi import APIRouter, Query, Request, Response

from api.dependencies import PartsDep, ReadSession
from api.http.downloads import ARTIFACT_RESPONSES, Download, send
from api.http.problems import responses
from api.lanes import in_lane
from api.parts import Parts
from api.routes.models import Version
from shared.registry import deployments, versions
from shared.registry.artifact import copy_checked, corrupt_is_unavailable
from shared.registry.sealing import Artifact, check_seal

router = APIRouter(tags=["Models"])


@router.get(
    "/models/{version}/artifact",
    summary="Download the file of a model",
    response_class=Response,
    responses={**responses(404, 409, 410, 422, 503), **ARTIFACT_RESPONSES},
)
@in_lane("store")
def download_artifact(
    version: Version,
    request: Request,
    parts: PartsDep,
    session: ReadSession,
    stage: Annotated[str | None, Query(description="The stage; the furthest one that it reached by default.")] = None,
) -> Response:
    """The fitted model as scikit-learn pickled it, once it was checked against the registry and its seal.

    Loading a pickle runs what is in it: load it only if you trust the platform that it comes from. Load it with the
    versions of the libraries that `environment` of the model names. A model of numbers only takes an array in the order
    of the signature's used inputs; any other takes a table with their names, in which dates and times are given as
    days since 1970-01-01 UTC (`POST /predict` converts them by itself).

    Answers `If-None-Match` with 304 and single ranges with 206.
    """
    if stage is not None:
        deployments.check_stage(stage, parts.settings.stages)
    artifact = deployments.artifact_of(session, versions.find_model(session, version).deployment(stage))
    session.close()  # The file may take long; the transaction must not.
    with corrupt_is_unavailable(artifact):
        check_seal(parts.key, artifact)
    return send(request, _download(parts, artifact), scratch=parts.settings.scratch, threads=parts.lanes.store)


def _download(parts: Parts, artifact: Artifact) -> Download:
    def copy(target: BinaryIO) -> None:
        with corrupt_is_unavailable(artifact):
            copy_checked(parts.store, parts.settings, parts.key, artifact, target)

    return Download(artifact.artifact_path, artifact.seal.size_bytes, artifact.seal.sha256, copy)
