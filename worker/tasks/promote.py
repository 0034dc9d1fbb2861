"""The work of a promote job: copy the artifact to the next stage's name, then make it active there."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.orm import Session

from shared.errors import UnreadableRequest
from shared.registry.model_memory import check_size
from shared.registry.promotion import check_promotion, commit_promotion, copy_files
from worker.attempt import ACTOR, Attempt, Effect


class Request(BaseModel):
    """What was accepted, as this release understands it."""

    model_config = ConfigDict(strict=True)

    dataset_name: str
    # The largest number that the column takes.
    version: int = Field(ge=1, le=2**31 - 1)
    target_stage: str
    replace_target: bool = False


def run(attempt: Attempt) -> Effect:
    """Do everything up to the commit; the effect is one more active deployment."""
    runtime, request = attempt.runtime, _read(attempt)
    with runtime.database.read() as session:
        promotion = check_promotion(session, **request.model_dump(), stages=runtime.settings.stages)
    check_size(promotion.version, promotion.served.source.seal.size_bytes, runtime.settings)
    attempt.show(30, "storing")
    for copy in promotion.copies:
        attempt.say(f"copying {copy.source.artifact_path} to {copy.path}")
    attempt.check()
    copied = copy_files(runtime.store, runtime.settings, runtime.key, promotion, folder=attempt.folder)
    size_bytes = sum(copy.source.seal.size_bytes for copy in promotion.copies)
    attempt.say(f"copied {size_bytes:,} bytes and verified them against digest and seal")

    def add(session: Session) -> dict[str, object]:
        return commit_promotion(session, promotion, copied=copied, actor=ACTOR)

    return add


def success_line(result: dict[str, Any]) -> str:
    """Which version is active where, and what else that changed."""
    version, serving = result["version"], result["serving_version"]
    more = "" if serving == version else f"; version {serving} goes on serving, for it is higher"
    retired = ", ".join(map(str, result.get("retired_versions", [])))
    more += f"; retired there, for another target: {retired}" if retired else ""
    return f"version {version} is active in {result['stage']}{more}"


def _read(attempt: Attempt) -> Request:
    try:
        return Request.model_validate(attempt.claim.request)
    except ValidationError:
        raise UnreadableRequest("The job was accepted by another version of the platform. Send it again.") from None
