"""What the platform says of itself."""

from enum import StrEnum

from pydantic import Field

from api.schemas.base import ResponseBody


class DependencyState(StrEnum):
    """Whether a part answers; without a degraded one the platform still serves."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


class Dependency(ResponseBody):
    """One part that the platform is built on."""

    state: DependencyState = Field(description="How the part is.")
    hint: str | None = Field(default=None, description="What to do about it, if it is not well.")
    pools: list[str] | None = Field(
        default=None,
        exclude_if=lambda pools: pools is None,
        description="Of workers, the pools whose jobs they take, where there are others than `default`, or too few.",
        examples=[["default", "large"]],
    )


class Health(ResponseBody):
    """The process is up."""

    status: DependencyState = Field(default=DependencyState.OK, description="Always `ok`: the process answers.")


class Processes(ResponseBody):
    """The processes that answer at this address."""

    up: int = Field(description="How many take requests.")
    wanted: int = Field(description="How many there are to be; one that ended is started again.")


class Readiness(ResponseBody):
    """Whether requests can be served, and why not."""

    status: DependencyState = Field(
        description="`degraded` when requests are served, but a process is missing or a part that jobs or uploads need."
    )
    dependencies: dict[str, Dependency] = Field(description="The parts by name.")
    processes: Processes = Field(description="The processes of this address.")


class Version(ResponseBody):
    """What runs here."""

    platform: str = Field(description="The release of the platform.")
    python: str = Field(description="The release of Python.", examples=["3.11.9"])
    scikit_learn: str = Field(description="The release of scikit-learn.")
