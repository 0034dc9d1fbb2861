"""Reads the bodies of predictions: the plainest form, which is rows of numbers, and any other."""

from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from api.http.json_body import MAX_DIGITS
from api.http.validation import check_field_counts
from api.schemas.predict import PredictRequest, TypedPredictRequest

_BACKSLASH, _QUOTE = b"\\", b'"'
# The quotes around the four names that are always there and the two texts.
_QUOTES = 12
# An integer of very many digits is refused, though a float may be as large; only then a number is so large.
MOST = 10.0 ** (MAX_DIGITS - 1)


class _Rows(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    features: list[list[float]]


class PlainBody(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A request for predictions of rows by position, without a version or a target."""

    dataset_name: str
    environment: str
    input_data: _Rows
    return_: Annotated[list[Literal["label", "probability"]], msgspec.Meta(max_length=2)] | None = msgspec.field(
        name="return", default=None
    )

    def rows(self, width: int) -> NDArray[np.float64] | None:
        """The rows as an array of shape (rows, width); None where they are no such rows."""
        try:
            array = np.array(self.input_data.features)
        except ValueError:
            # They differ in length.
            return None
        if array.dtype != np.float64 or array.ndim != 2 or array.shape[1] != width:
            return None
        return array

    @property
    def probabilities(self) -> bool:
        """Whether they are asked for."""
        return self.return_ is not None and "probability" in self.return_


_decoder = msgspec.json.Decoder(PlainBody)


def read_plain(body: bytes) -> PlainBody | None:
    """The body if it is of the plainest form; None for every other one, be it right or wrong.

    The decoder takes a name that is given twice, and the last value for it. Then there are more quotes than the values
    that it found account for.
    """
    if _BACKSLASH in body:
        return None
    try:
        found = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    quotes = _QUOTES if found.return_ is None else _QUOTES + 2 + 2 * len(found.return_)
    # A "return" of null has a name and no values; it is left to who says what is wrong with it.
    return found if body.count(_QUOTE) == quotes else None


def read_request(value: Any) -> PredictRequest:
    """The request that a body of any form makes.

    Raises:
        InvalidRequest, ValidationError: when it makes none.
    """
    check_field_counts(value, PredictRequest)
    return PredictRequest.model_validate(value)


def read_typed(value: Any, dataset_name: str, environment: str) -> PredictRequest:
    """The same of a body at the address of one model.

    Raises:
        InvalidRequest, ValidationError: when it makes none.
    """
    check_field_counts(value, TypedPredictRequest)
    return TypedPredictRequest.model_validate(value).with_place(dataset_name, environment)
