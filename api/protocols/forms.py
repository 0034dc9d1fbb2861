"""The forms of errors that there are, by protocol."""

from api.protocols.error_forms import ErrorForm
from api.protocols.mlflow.errors import MLFLOW_ERRORS
from api.protocols.v2.errors import V2_ERRORS

FORMS: tuple[ErrorForm, ...] = (V2_ERRORS, MLFLOW_ERRORS)


def form_at(path: str) -> ErrorForm | None:
    """The form of errors at an address; None where they are problems."""
    return next((form for form in FORMS if form.covers(path)), None)
