"""Moments as most programs write them: they are read without Arrow, whose steps take longer for a few of them."""

import re
from collections.abc import Sequence
from datetime import datetime

from shared.tables.columns import CellReading, ColumnKind

# A day or a moment as it is written most of the time; Arrow and Python read it alike.
_PLAIN = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d:\d\d)?", re.ASCII)


def plain_moments(texts: Sequence[str], reading: CellReading) -> list[datetime] | None:
    """The moments that texts spell; None if one is anything but a plain moment."""
    if reading.kind is not ColumnKind.DATETIME or reading.rules == 1:
        return None
    # None of the usual words for a gap is a moment; those of this column may be.
    gaps = {*(reading.gap_words or ()), *reading.odd_words}
    if not all(map(_PLAIN.fullmatch, texts)) or not gaps.isdisjoint(texts):
        return None
    try:
        return [datetime.fromisoformat(text) for text in texts]
    except ValueError:
        return None
