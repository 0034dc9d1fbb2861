"""The cells of one input of a CSV file, and which decimal mark the file has for it."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from shared.estimators.signature import InputColumn
from shared.prediction.texts import Texts, present, read_texts, reading_of
from shared.tables.columns import CellReading, ColumnKind
from shared.tables.values import STRINGS

# Cells with the other mark that are remembered until the file shows what the mark means.
MOST_PENDING = 1_000


class CsvColumn:
    """Reads the cells of one input, some rows at a time, and learns what decimal mark they have.

    A column of decimal points may come from a program that writes commas, or the other way round. The other mark is
    taken where nothing speaks against it in the whole file: no cell has the usual mark, and none may be meant as
    thousands, as 1,234 may be.
    """

    def __init__(self, column: InputColumn, *, delimiter: str) -> None:
        self.column = column
        self.reading = reading_of(column, comma_parts=delimiter == ",")
        self._other = _with_other_mark(self.reading, delimiter)
        # Whether something in the file speaks against the other mark.
        self.refuses_other = False
        # Lines and texts of the first cells that have it.
        self.pending: list[tuple[int, str]] = []

    def read(self, texts: Sequence[str], lines: Sequence[int]) -> Texts:
        """The values of some cells; those that wait for the rest of the file count as right, and are in `pending`."""
        found = read_texts(texts, self.reading)
        if self._other is not None and not self.refuses_other:
            found = self._with_other(texts, lines, found)
        values = self._known_spellings(texts, found.values)
        return found._replace(values=values)

    def release(self) -> list[tuple[int, str]]:
        """The cells that turned out to be wrong, once something speaks against their mark."""
        released, self.pending = (self.pending, []) if self.refuses_other else ([], self.pending)
        return released

    def _with_other(self, texts: Sequence[str], lines: Sequence[int], found: Texts) -> Texts:
        assert self._other is not None  # noqa: S101 - the caller has looked
        cells = present(pa.array(texts, pa.string()), self.reading)
        thousands = rf"^\D*\d{{1,3}}[{self._other.decimal}]\d{{3}}\D*$"
        self.refuses_other = (
            pc.any(pc.match_substring(cells, self.reading.decimal)).as_py() is True
            or pc.any(pc.match_substring_regex(cells, thousands)).as_py() is True
        )
        if self.refuses_other or not found.wrong:
            return found
        again = read_texts([texts[position] for position in found.wrong], self._other)
        still = set(again.wrong)
        for place, position in enumerate(found.wrong):
            if place not in still:
                found.values[position] = again.values[place]
                if len(self.pending) < MOST_PENDING:
                    self.pending.append((lines[position], texts[position]))
        return found._replace(wrong=[found.wrong[place] for place in again.wrong])

    def _known_spellings(self, texts: Sequence[str], values: list[Any]) -> list[Any]:
        if self.reading.kind not in STRINGS:
            return values
        categories = self.column.categories or []
        if not all(isinstance(category, str) for category in categories):
            spelled = {str(each).lower() if isinstance(each, bool) else str(each): each for each in categories}
            return [None if value is None else _spelled(value, spelled) for value in values]
        if self.reading.typed:
            # Such a table tells "" from null, and CSV does not.
            return [
                None if not text.strip() and text not in categories else value
                for text, value in zip(texts, values, strict=True)
            ]
        return values


def _with_other_mark(reading: CellReading, delimiter: str) -> CellReading | None:
    if reading.rules == 1 or reading.kind is not ColumnKind.NUMBER:
        return None
    if reading.decimal == ",":
        return reading.model_copy(update={"decimal": ".", "thousands": None})
    return None if delimiter == "," else reading.model_copy(update={"decimal": ",", "thousands": None})


def _spelled(text: str, spelled: dict[str, Any]) -> Any:
    """A category that is no text, by how it is written."""
    return spelled.get(text.strip(), spelled.get(text.strip().lower(), text))
