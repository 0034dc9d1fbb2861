"""What the first values of a column of text look like: numbers and dates among them are told to whoever has them.

For versions of older releases only; of others, the findings tell it.
"""

import re
from typing import NamedTuple

from shared.tables.columns import Column, ColumnKind

_SHOWN = 40
# A leading zero makes a code, which is not a number.
_NUMBER = re.compile(r"[+-]?(?!0\d)\d+([.,]\d+)?([eE][+-]?\d+)?")
_DATE = re.compile(r"(\d{4}([./-])\d{1,2}\2\d{1,2}|\d{1,2}([./-])\d{1,2}\3(\d{4}|\d{2}))([ T].*)?", re.DOTALL)


class TextLooks(NamedTuple):
    """What a sentence about the column can say after "it", and what would make numbers or dates of it."""

    said: str
    hint: str
    # Whether there are numbers among them, not dates.
    numbers: bool


def looks_of_text(column: Column) -> TextLooks | None:
    """What the profile tells of a column of text or categories; None where neither numbers nor dates are seen."""
    if column.kind not in {ColumnKind.TEXT, ColumnKind.CATEGORY}:
        return None
    texts = [value for value in column.examples if isinstance(value, str)]
    numbers = [text for text in texts if _NUMBER.fullmatch(text.strip())]
    others = [text for text in texts if text not in numbers]
    dates = [text for text in others if _DATE.fullmatch(text.strip())]
    if numbers and others:
        said = f"holds numbers such as {_shown(numbers[0])}, but also {_shown(others[0])}, which is not read as one"
        hint = "correct or empty the cells that are not numbers and upload the table again"
        return TextLooks(said, hint, numbers=True)
    if numbers:
        said = f"holds values such as {_shown(numbers[0])}, but not all of it is read as numbers"
        hint = "write all its cells as numbers, or empty them, and upload the table again"
        return TextLooks(said, hint, numbers=True)
    if dates:
        said = f"holds values such as {_shown(dates[0])}, which are not read as dates"
        return TextLooks(said, "write its dates as 2026-01-31 and upload the table again", numbers=False)
    return None


def _shown(text: str) -> str:
    return f"'{text[:_SHOWN]}…'" if len(text) > _SHOWN else f"'{text}'"
