"""What people write on a model: tags to find it by, and a note."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

_TAG = r"[A-Za-z0-9][A-Za-z0-9._:/=@+-]{0,63}"


def _check_tag(tag: str) -> str:
    if not re.fullmatch(_TAG, tag):
        raise ValueError(
            "It must be one word of 1 to 64 letters a-z, digits and ._:/=@+-, with a letter or digit first"
        )
    return tag


def _clean(note: str) -> str | None:
    return note.strip() or None


# The pattern is only told: what pydantic would say of it is the pattern.
Tag = Annotated[str, AfterValidator(_check_tag), Field(json_schema_extra={"pattern": f"^{_TAG}$"})]
Tags = Annotated[list[Tag], Field(max_length=20)]
Note = Annotated[str, Field(max_length=2000), AfterValidator(_clean)]
