"""Bodies of promotion."""

from pydantic import ConfigDict, Field

from api.schemas.base import RequestBody, VersionNumber
from api.schemas.queue import Priority
from shared.jobs.rows import MIDDLE_PRIORITY


class PromoteRequest(RequestBody):
    """Which version goes to which stage; it must be active in the stage before."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"dataset_name": "my_dataset", "version": 1, "target_stage": "staging"}]}
    )

    dataset_name: str = Field(description="The dataset that the model was trained on.", examples=["my_dataset"])
    version: VersionNumber = Field(description="The version of the model.", examples=[1])
    target_stage: str = Field(description="The stage after the one in which it is active.", examples=["staging"])
    replace_target: bool = Field(
        default=False,
        description="Let it take the place of versions that predict another column; they are retired from the stage in "
        "the same step. Without it such a promotion is refused (`target_differs`).",
    )
    priority: Priority = MIDDLE_PRIORITY
