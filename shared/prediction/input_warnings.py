"""Collects what was done to an input so that a model could take it: one sentence for each kind and each column."""

from enum import Enum

_MOST_ROWS = 5
_MOST_SENTENCES = 20


class WarningKind(Enum):
    """A kind of warning; the value is its sentence, to be filled in with the column and the rows."""

    NUMBER_AS_TEXT = "Column '{column}' holds texts: a number was read as text, in {rows}."
    NUMBER_AS_UNKNOWN_TEXT = (
        "Column '{column}' holds texts, and training met no such number among them: it was read as a text that is "
        "not known, in {rows}."
    )
    TARGET_IGNORED = "Column '{column}' is what the model predicts: its values were ignored, in {rows}."
    NOTHING_GIVEN = "No value is given for any column of the model, in {rows}: all were taken as missing."


class InputWarnings:
    """Counts by kind and column, and keeps the first rows of each; `row` is the word for a row, "row" or "line"."""

    def __init__(self, row: str = "row") -> None:
        self._row = row
        self._found: dict[tuple[WarningKind, str], tuple[list[int], int]] = {}

    def add(self, done: WarningKind, row: int, column: str = "") -> None:
        """Note that something was done in a row."""
        rows, count = self._found.get((done, column), ([], 0))
        if count < _MOST_ROWS:
            rows.append(row)
        self._found[done, column] = rows, count + 1

    def sentences(self) -> list[str]:
        """What was done, in a bounded number of sentences."""
        told = [
            done.value.format(column=column, rows=self._shown(rows, count))
            for (done, column), (rows, count) in self._found.items()
        ]
        left = len(told) - _MOST_SENTENCES
        return [*told[:_MOST_SENTENCES], f"There are {left} more warnings of these kinds."] if left > 0 else told

    def _shown(self, rows: list[int], count: int) -> str:
        numbers = ", ".join(map(str, rows))
        more = f" and {count - len(rows):,} more" if count > len(rows) else ""
        return f"{self._row}{'' if count == 1 else 's'} {numbers}{more}"
