"""From raw columns to what a model takes: the same conversions for fitting and for prediction.

Raw columns are either columns of a table or plain lists of JSON values or moments, where None is a missing value.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from shared.estimators.signature import InputColumn
from shared.training.parts import parts_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECONDS_PER_DAY = 86_400_000_000


class RawColumns(Protocol):
    """Raw values by column name: a dict of lists, or a DataFrame."""

    def __getitem__(self, name: str, /) -> Any: ...


def model_input(columns: RawColumns, inputs: Sequence[InputColumn], *, numeric: bool) -> Any:
    """A float64 array of shape (rows, used inputs) for a numeric model, else a DataFrame of these by name.

    `columns` maps names to lists of raw values (None where missing) or is a DataFrame. Raises ValueError or
    TypeError for a value that is not of its column's kind; the caller checks the kinds first.
    """
    return plain_array(columns, inputs) if numeric else named_frame(columns, inputs)


def plain_array(columns: RawColumns, inputs: Sequence[InputColumn]) -> "NDArray[np.float64]":
    """One float64 column per used input, in order, with NaN where a value is missing. Imports no pandas."""
    import numpy as np

    return np.column_stack([numbers(columns[column.name]) for column in inputs if column.used])


def named_frame(columns: RawColumns, inputs: Sequence[InputColumn]) -> "pd.DataFrame":
    """The used inputs by name: numbers, booleans and moments as float64, words as objects; NaN where missing."""
    import pandas as pd

    return pd.DataFrame(
        {column.name: _converted(columns[column.name], column.kind) for column in inputs if column.used}
    )


def forget_names(model: Any) -> Any:
    """Drop the column names that the parts of a fitted numeric model keep, and return the model.

    The stored model keeps them for whoever downloads it. A process that serves it with plain arrays, in signature
    order by construction, would get a warning for each call.
    """
    for part in parts_of(model):
        vars(part).pop("feature_names_in_", None)
    return model


def _converted(values: Any, kind: str) -> Any:
    if kind in {"integer", "number", "boolean"}:
        return numbers(values)
    return days(values) if kind == "datetime" else _words(values)


def numbers(values: Any) -> "NDArray[np.float64]":
    """Numbers and booleans as float64, with NaN where a value is missing. Imports no pandas."""
    import numpy as np

    if hasattr(values, "to_numpy"):
        array: NDArray[np.float64] = values.to_numpy(dtype="float64", na_value=np.nan)
        return array
    return np.array(values, dtype=np.float64)


def days(values: Any) -> "NDArray[np.float64]":
    """Days since 1970-01-01 UTC from moments or from ISO 8601; what names no zone is UTC."""
    import numpy as np

    if hasattr(values, "to_numpy"):
        moments = values.to_numpy(dtype="datetime64[us]")
        missing, counts = np.isnat(moments), moments.astype(np.int64)
    else:
        missing = np.array([value is None for value in values], dtype=np.bool_)
        counts = np.array([0 if value is None else _microseconds(value) for value in values], dtype=np.int64)
    # One division for both: later than the year 2255, Python's own rounds in another way.
    return np.where(missing, np.nan, counts / _MICROSECONDS_PER_DAY)


def day(moment: datetime) -> float:
    """The days of one moment, as `days` has them: from its microseconds as a float."""
    return float(_microseconds(moment)) / _MICROSECONDS_PER_DAY


def _microseconds(value: str | datetime) -> int:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _words(values: Any) -> "pd.Series[Any]":
    """Objects with NaN for missing values, which is what scikit-learn's imputer looks for."""
    import numpy as np
    import pandas as pd

    words = pd.Series(list(values), dtype=object)
    return words.where(words.notna(), np.nan)
