"""What processes of the platform make at their first use, made when this is imported: the zygote has it for all."""

from sqlalchemy.orm import configure_mappers

import shared.schema
from tests.support.s3_descriptions import remember_descriptions

__all__ = ["shared"]

remember_descriptions()
configure_mappers()
