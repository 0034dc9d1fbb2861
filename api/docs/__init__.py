"""How the API describes itself: the OpenAPI document, and Swagger UI that shows it."""

from api.docs.document import describe, operation_id
from api.docs.introduction import DESCRIPTION, TAGS, TITLE
from api.docs.page import install

__all__ = ["DESCRIPTION", "TAGS", "TITLE", "describe", "install", "operation_id"]
