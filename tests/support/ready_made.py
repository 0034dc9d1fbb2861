"""What processes of the platform make at their first use, made when this is imported: the zygote has it for all.

It comes after all rows are imported.
"""

from sqlalchemy.orm import configure_mappers

from tests.support.s3_descriptions import remember_descriptions

remember_descriptions()
configure_mappers()
