"""What the platform says of itself."""

from enum import StrEnum

from api.schemas.base import ResponseBody


class DependencyState(StrEnum):
    """Whether a part answers; without a degraded one the platform still works."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


class Dependency(ResponseBody):
    """One part that the platform is built on."""

    state: DependencyState
    hint: str | None = None


class Health(ResponseBody):
    """The process is up."""

    status: DependencyState = DependencyState.OK


class Readiness(ResponseBody):
    """Whether requests can be served, and why not."""

    status: DependencyState
    dependencies: dict[str, Dependency]


class Version(ResponseBody):
    """What runs here."""

    platform: str
    python: str
    scikit_learn: str
