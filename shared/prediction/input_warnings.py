"""Collects what was done to an input so that a model could take it: one sentence for each kind and each column.

What is warned of is decided in `inputs` (JSON) and in `csv_input` (CSV).
"""

from dataclasses import dataclass, field
from enum import Enum
from itertools import islice

from shared.errors import meant
from shared.estimators.signature import InputColumn
from shared.prediction.cells import short

_MOST_ROWS = 5
_MOST_VALUES = 5
_MOST_SENTENCES = 20


class WarningKind(Enum):
    """A kind of warning; the value is its sentence, to be filled in with the column, the rows and the values."""

    NUMBER_AS_TEXT = "Column '{column}' holds texts: a number was read as text, in {rows}."
    NUMBER_AS_UNKNOWN_TEXT = (
        "Column '{column}' holds texts, and training met no such number among them: it was read as a text that is "
        "not known, in {rows}."
    )
    UNKNOWN_CATEGORY = (
        "Column '{column}' has values that training did not meet: {values}, in {rows}. They were taken as unknown."
    )
    NOT_FINITE = (
        "Column '{column}' has numbers that are infinite or too large: they were taken as missing, as in training, "
        "in {rows}."
    )
    TARGET_IGNORED = "Column '{column}' is what the model predicts: its values were ignored, in {rows}."
    REPEATED_NAMES = "The names of the columns are repeated, in {rows}: there is no prediction for them."
    NO_ROW = "There are neither names nor cells of a row in {rows}: there is no prediction for that."
    NOTHING_GIVEN = "No value is given for any column of the model, in {rows}: all were taken as missing."


@dataclass
class _Noted:
    """How often something was done to a column, in which rows first, and to which values."""

    count: int = 0
    rows: list[int] = field(default_factory=list)
    # Each with the category that may have been meant.
    values: dict[str, str | None] = field(default_factory=dict)
    more_values: bool = False


class InputWarnings:
    """Counts by kind and column, and keeps the first rows of each; `row` is the word for a row, "row" or "line"."""

    def __init__(self, row: str = "row") -> None:
        self._row = row
        self._told: list[str] = []
        self._found: dict[tuple[WarningKind, str], _Noted] = {}

    def tell(self, sentence: str) -> None:
        """Note what holds for all rows."""
        self._told.append(sentence)

    def add(self, kind: WarningKind, row: int, column: str = "") -> None:
        """Note that something was done in a row."""
        self._note(kind, row, column)

    def add_unknown(self, row: int, column: InputColumn, value: object) -> None:
        """Note a value that is not one of the categories of a column."""
        noted = self._note(WarningKind.UNKNOWN_CATEGORY, row, column.name)
        if noted.more_values:
            return
        text = short(str(value))
        if text in noted.values:
            return
        if len(noted.values) == _MOST_VALUES:
            noted.more_values = True
            return
        # Only for sentences that will be told, because it goes through all categories.
        looked_for = len(self._found) <= _MOST_SENTENCES
        noted.values[text] = _same_but_for_case(str(value), column) if looked_for else None

    def sentences(self) -> list[str]:
        """What was done, in a bounded number of sentences."""
        told = [self._sentence(*key, noted) for key, noted in islice(self._found.items(), _MOST_SENTENCES)]
        left = len(self._found) - _MOST_SENTENCES
        more = [f"There are {left} more warnings of these kinds."] if left > 0 else []
        return [*self._told, *told, *more]

    def _note(self, kind: WarningKind, row: int, column: str) -> _Noted:
        noted = self._found.get((kind, column))
        if noted is None:
            noted = self._found[kind, column] = _Noted()
        noted.count += 1
        if noted.count <= _MOST_ROWS:
            noted.rows.append(row)
        return noted

    def _sentence(self, kind: WarningKind, column: str, noted: _Noted) -> str:
        values = ", ".join(f"'{value}'" for value in noted.values) + (" and others" if noted.more_values else "")
        near = dict.fromkeys(filter(None, noted.values.values()))
        said = kind.value.format(column=short(column), rows=self._shown(noted), values=values)
        return said + meant("', '".join(near))

    def _shown(self, noted: _Noted) -> str:
        numbers = ", ".join(map(str, noted.rows))
        more = f" and {noted.count - len(noted.rows):,} more" if noted.count > len(noted.rows) else ""
        return f"{self._row}{'' if noted.count == 1 else 's'} {numbers}{more}"


def _same_but_for_case(text: str, column: InputColumn) -> str | None:
    """The category that differs from a text in upper case or outer blanks only."""
    folded = text.strip().casefold()
    same = (short(str(each)) for each in column.categories or [] if str(each).strip().casefold() == folded)
    return next(same, None)
