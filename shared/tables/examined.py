"""One column under way through a survey: its evidence, its profile, and how it is to be read."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from shared.tables.cells import values_of
from shared.tables.chunks import Chunks
from shared.tables.columns import CellReading
from shared.tables.deciding import Decision
from shared.tables.evidence import Evidence
from shared.tables.profile import ColumnProfile
from shared.tables.typed_evidence import TypedEvidence

_SHOWN_CHARACTERS = 40


@dataclass
class Examined:
    """What is known of a column; it has no profile once a chunk was not as it had been guessed."""

    evidence: Evidence | TypedEvidence
    profile: ColumnProfile | None = None
    decision: Decision | None = None


def is_settled(look: Examined) -> bool:
    """Whether the column was profiled as it is to be read."""
    return look.profile is not None and look.decision is not None and look.profile.reading == look.decision.reading


def take(look: Examined, cells: pa.Array, seen: int, *, row: int) -> None:
    """Add a chunk to the evidence and, as long as it fits the guess, to the profile.

    The evidence has `seen` so many of the cells already.
    """
    profile, evidence = look.profile, look.evidence
    fresh, row = cells[seen:], row + seen
    if profile is None:
        evidence.add(fresh, row)
        return
    try:
        values = values_of(cells, profile.reading)
    except pa.ArrowInvalid:
        look.profile = None
        evidence.add(fresh, row)
        return
    fits = isinstance(evidence, Evidence) and evidence.add_fitting(fresh, values[seen:], profile.reading, row)
    if not fits:
        evidence.add(fresh, row)
    profile.add(cells, values)


def cells_of_columns(
    looks: list[Examined], chunks: Chunks, batch: pa.RecordBatch
) -> Iterator[tuple[Examined, pa.Array]]:
    """Some columns with their cells in a chunk, which are null where it lacks the column."""
    position = {name: at for at, name in enumerate(chunks.names[: batch.num_columns])}
    for look in looks:
        at = position.get(look.evidence.name)
        yield look, pa.nulls(batch.num_rows, pa.string()) if at is None else batch.column(at)


def wrong_cells(cells: pa.Array, reading: CellReading, row: int) -> Iterator[tuple[int, str]]:
    """The cells that are not of their column's kind, each with its row; found as they are asked for."""
    try:
        values_of(cells, reading)
    except pa.ArrowInvalid:
        if len(cells) == 1:
            yield row, str(cells[0].as_py())[:_SHOWN_CHARACTERS]
            return
        middle = len(cells) // 2
        yield from wrong_cells(cells[:middle], reading, row)
        yield from wrong_cells(cells[middle:], reading, row + middle)
