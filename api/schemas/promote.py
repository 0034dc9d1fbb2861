"""Bodies of promotion."""

from pydantic import Field

from api.schemas.base import RequestBody, VersionNumber


class PromoteRequest(RequestBody):
    """Which version goes to which stage; it must be active in the stage before."""

    dataset_name: str = Field(examples=["my_dataset"])
    version: VersionNumber = Field(examples=[1])
    target_stage: str = Field(examples=["staging"])
