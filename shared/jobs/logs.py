"""The log of a job: what its attempts say to people.

The position of a line follows from the line itself: first come the lines of earlier attempts, which are complete, then
those of this attempt in the order of their numbers. A line that is written twice, because the answer to the first write
was lost or because two threads wrote it, is therefore kept once.
"""

import re
import time
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Float, and_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from shared.clock import Now
from shared.jobs.claims import Claim, bind_claim, still_claimed
from shared.jobs.rows import JobLogRow, JobRow
from shared.upsert import insert_missing_for

CUT = "This log is as long as logs may be: what follows was cut."

# At most this many conditions in one SELECT.
_BATCH = 100

# Built once, for many rows each. The time is the database's, moved back by the seconds since the line was said.
_AT = {"at": Now(bindparam("seconds", type_=Float()))}
_INSERT = {dialect: insert_missing_for(dialect, JobLogRow).values(_AT) for dialect in ("sqlite", "postgresql")}


LONGEST_LINE = 1_000
# Sequences that terminals obey (ECMA-48): with parameters, with a string up to its terminator, and the short ones.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b[\]PX^_].*?(?:\x07|\x1b\\|\x9c|$)|\x1b[ -/]*[0-~]?", re.DOTALL
)
_SPACES = re.compile(r" {2,}")


@dataclass(frozen=True)
class Line:
    """One line of an attempt; `number` counts from 1 in each attempt, `said_at` is monotonic."""

    number: int
    text: str
    said_at: float = field(default_factory=time.monotonic)


class LogLine(NamedTuple):
    """One line as it is kept; `seq` counts from 1 in each job, without gaps."""

    seq: int
    at: datetime
    text: str


def append(session: Session, claim: Claim, lines: Sequence[Line], *, most: int) -> None:
    """Add lines of a running attempt, up to `most` lines of the job; an attempt that lost the job adds nothing."""
    # Held until the commit, so that the attempt cannot be ended by somebody else meanwhile.
    held = session.execute(select(JobRow.id).where(still_claimed()).with_for_update(), bind_claim(claim))
    if held.one_or_none() is not None:
        add(session, claim.job_id, claim.epoch, lines, most=most)


def add(session: Session, job_id: UUID, epoch: int, lines: Sequence[Line], *, most: int) -> None:
    """Add lines under an epoch, for a caller whose transaction holds the job's row: the one that has just ended it."""
    base = 0
    if epoch > 1:
        before = select(func.max(JobLogRow.seq)).where(JobLogRow.job_id == job_id, JobLogRow.epoch < epoch)
        base = session.scalar(before) or 0
    now = time.monotonic()
    rows = [
        {
            "job_id": job_id,
            "seq": base + line.number,
            "epoch": epoch,
            "seconds": line.said_at - now,
            "text": one_line(line.text) if base + line.number <= most else CUT,
        }
        for line in lines
        if base + line.number <= most + 1
    ]
    if rows:
        session.execute(_INSERT[session.get_bind().dialect.name], rows)


def read(session: Session, job_id: UUID, *, after: int, limit: int) -> list[LogLine]:
    """The lines of a job that come after the one numbered `after`, at most `limit`."""
    return read_many(session, [(job_id, after)], limit=limit).get(job_id, [])


def read_many(session: Session, places: Collection[tuple[UUID, int]], *, limit: int) -> dict[UUID, list[LogLine]]:
    """As `read`, for many places in many jobs at once. Of a job that has several, all lines are in one list."""
    found: dict[UUID, dict[int, LogLine]] = {}
    asked = list(places)
    for start in range(0, len(asked), _BATCH):
        query = select(JobLogRow.job_id, JobLogRow.seq, JobLogRow.at, JobLogRow.text).where(
            # Numbers have no gaps, so this condition limits the page.
            or_(
                *(
                    and_(JobLogRow.job_id == job_id, JobLogRow.seq > after, JobLogRow.seq <= after + limit)
                    for job_id, after in asked[start : start + _BATCH]
                )
            )
        )
        for row in session.execute(query):
            found.setdefault(row.job_id, {})[row.seq] = LogLine(row.seq, row.at, row.text)
    return {job_id: [lines[seq] for seq in sorted(lines)] for job_id, lines in found.items()}


def one_line(text: str) -> str:
    """The text as one line that is safe to store, to print and to send.

    Escape sequences and invisible marks (such as those that turn the direction of writing) are left out, controls and
    line ends become spaces, what is not a character becomes U+FFFD. A longer text ends in an ellipsis.
    """
    # The text is cut first, so that a huge one costs nothing. Escape sequences do not count as characters.
    plain = _ESCAPES.sub("", text[: 4 * LONGEST_LINE])
    line = _SPACES.sub(" ", "".join(map(_harmless, plain))).strip()
    cut = len(line) > LONGEST_LINE or len(text) > 4 * LONGEST_LINE
    return f"{line[: LONGEST_LINE - 1]}…" if cut else line


def _harmless(character: str) -> str:
    if character.isprintable():
        return character
    category = unicodedata.category(character)
    if category == "Cf":
        return ""
    return " " if category == "Cc" or character.isspace() else "\ufffd"
