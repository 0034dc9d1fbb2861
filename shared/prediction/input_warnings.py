"""Collects what was done to an input so that a model could take it: a sentence for each kind of it and each column."""

from enum import Enum

_MOST_ROWS = 5
_MOST_SENTENCES = 20


class Done(Enum):
    """What was done; the sentence is told with the column and the rows."""

    SPELLED = "Column '{column}' holds texts: a number was taken as the text that it is written as, in {rows}."
    SPELLED_UNSEEN = (
        "Column '{column}' holds texts, and the training met no such number among them: it was taken as a text that is "
        "not known, in {rows}."
    )
    TARGET_LEFT_ASIDE = "Column '{column}' is what the model predicts: its values were left aside, in {rows}."
    NOTHING_GIVEN = "No value is given for any column of the model, in {rows}: all were taken as missing."


class InputWarnings:
    """Counts by kind and column, and keeps the first rows of each; `row` is what a row is called."""

    def __init__(self, row: str = "row") -> None:
        self._row = row
        self._found: dict[tuple[Done, str], tuple[list[int], int]] = {}

    def add(self, done: Done, row: int, column: str = "") -> None:
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
