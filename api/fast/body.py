"""Reads the bodies of predictions: the plainest form, which is rows of numbers, rows of plain cells, and any other."""

import re
from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from api.http.json_body import MAX_DIGITS
from api.http.validation import check_field_counts
from api.schemas.predict import PredictRequest, TypedPredictRequest
from shared.prediction.extras import Extras, Returned

_QUOTE = b'"'
# A quote that may be one of a text; and what may stand for half a character or for NUL, neither of which is plain.
_NOT_PLAIN = re.compile(rb'\\(?:"|u(?:[dD][89a-fA-F]|0000))')
# The quotes around the names of the input and its form, and around the names and values of the place.
_QUOTES_OF_INPUT, _QUOTES_OF_PLACE = 4, 8
# An integer of very many digits is refused, though a float may be as large; only then a number is so large.
MOST = 10.0 ** (MAX_DIGITS - 1)


# What is wanted of each row.
_Wanted = Annotated[list[Returned], msgspec.Meta(max_length=3)] | None


class _Rows(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    features: list[list[float]]


class _Cells(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    features: list[msgspec.Raw] | msgspec.UnsetType = msgspec.UNSET
    records: list[msgspec.Raw] | msgspec.UnsetType = msgspec.UNSET


class PlainBody(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A request for predictions of rows of numbers by position, without a version or a target."""

    dataset_name: str
    environment: str
    input_data: _Rows
    return_: _Wanted = msgspec.field(name="return", default=None)

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
    def extras(self) -> Extras:
        """What is asked for beside labels or numbers."""
        return Extras.named_in(self.return_ or ())


class TableBody(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A request without a version or a target, whose rows are not read yet; an address may have said the place."""

    input_data: _Cells
    dataset_name: str | msgspec.UnsetType = msgspec.UNSET
    environment: str | msgspec.UnsetType = msgspec.UNSET
    return_: _Wanted = msgspec.field(name="return", default=None)

    @property
    def place(self) -> tuple[str, str] | None:
        """Dataset and environment; None where one of them is not said."""
        if isinstance(self.dataset_name, str) and isinstance(self.environment, str):
            return self.dataset_name, self.environment
        return None

    @property
    def says_no_place(self) -> bool:
        """Whether neither of them is said."""
        return self.dataset_name is self.environment is msgspec.UNSET

    @property
    def by_name(self) -> bool:
        """Whether the rows are objects by column name."""
        return self.input_data.features is msgspec.UNSET

    @property
    def rows(self) -> list[msgspec.Raw]:
        """The JSON of each row; none where both forms are given, or neither is."""
        features, records = self.input_data.features, self.input_data.records
        if isinstance(features, list):
            return [] if isinstance(records, list) else features
        return records if isinstance(records, list) else []

    @property
    def extras(self) -> Extras:
        """What is asked for beside labels or numbers."""
        return Extras.named_in(self.return_ or ())

    @property
    def quotes(self) -> int:
        """How many quotes there are around all names and texts but those of the rows."""
        return _QUOTES_OF_INPUT + _quotes_of(self.return_) + (0 if self.says_no_place else _QUOTES_OF_PLACE)


_plain = msgspec.json.Decoder(PlainBody)
_table = msgspec.json.Decoder(TableBody)


def read_plain(body: bytes) -> PlainBody | None:
    """The body if it is of the plainest form; None for every other one, be it right or wrong.

    The decoder takes a name that is given twice, and the last value for it. Then there are more quotes than the values
    that it found account for.
    """
    if _NOT_PLAIN.search(body):
        return None
    try:
        found = _plain.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    # A "return" of null has a name and no values; it is left to who says what is wrong with it.
    quotes = _QUOTES_OF_INPUT + _QUOTES_OF_PLACE + _quotes_of(found.return_)
    return found if body.count(_QUOTE) == quotes else None


def read_table(body: bytes) -> TableBody | None:
    """The body if nothing is said but place, rows and what is wanted; None for every other one.

    Whether a name is given twice shows when the rows are read: `count_quotes` has to be what they account for.
    """
    if _NOT_PLAIN.search(body):
        return None
    try:
        return _table.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def count_quotes(body: bytes) -> int:
    """How many quotes a body has."""
    return body.count(_QUOTE)


def _quotes_of(wanted: list[Any] | None) -> int:
    return 0 if wanted is None else 2 + 2 * len(wanted)


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
