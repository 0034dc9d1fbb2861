"""What the processes of one address tell each other, in memory that all of them have: who serves, and what they count.

Each process has a slate and is the only one to write there, so that none waits for another and nothing is lost. A slate
outlives its process: whoever is started in the stead of one that died goes on counting from its numbers.
"""

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from mmap import mmap

_LOOK_SECONDS = 0.005
# More than all methods, routes and statuses that there are. Only pages that are written to take memory.
_SLATE_BYTES = 8 * 2**20
_WORD = 8
# Which number of the head is what.
_USED, _SERVES, _RESTARTS, _SEEN, _MARKS = range(5)
_MOST_MARKS = 8
_HEAD = _MARKS + _MOST_MARKS

# A record is the length of its key, how many numbers it has, the key, and the numbers.
Key = tuple[str, ...]


class BoardFull(Exception):
    """There is no room for further numbers."""


class Slate:
    """The numbers of one process, thread-safe. A number is written at one stroke, so that a reader sees it whole."""

    def __init__(self, memory: memoryview) -> None:
        self._bytes = memory
        self.numbers: memoryview[float] = memory.cast("d")
        self.lock = threading.Lock()
        self._found = {key: start for key, start, _ in self._records()}

    def numbers_of(self, key: Key, count: int) -> int:
        """Where in `numbers` those of a key begin, of which there are `count`; the first time, they are 0.

        Raises:
            BoardFull: when there is no room for them.
        """
        with self.lock:
            start = self._found.get(key)
            if start is None:
                start = self._found[key] = self._add(json.dumps(key).encode(), count)
            return start

    def records(self) -> Iterator[tuple[Key, list[float]]]:
        """Every key with its numbers."""
        for key, start, count in self._records():
            yield key, list(self.numbers[start : start + count])

    @property
    def serves(self) -> bool:
        """Whether the process takes requests."""
        return bool(self.numbers[_SERVES])

    def begin(self) -> None:
        """The process takes requests from now on."""
        self.numbers[_SERVES] = 1

    def leave(self) -> None:
        """The process has ended, and with it whatever it was at."""
        for at in (_SERVES, _SEEN, *range(_MARKS, _HEAD)):
            self.numbers[at] = 0

    @property
    def restarts(self) -> int:
        """How often a process was started here in the stead of one that had ended."""
        return int(self.numbers[_RESTARTS])

    def count_restart(self) -> None:
        """Take note of one; for who starts them."""
        self.numbers[_RESTARTS] += 1

    @property
    def seen(self) -> int | None:
        """Up to which generation of the registry this process serves what it says; None before it has looked."""
        return int(self.numbers[_SEEN]) - 1 if self.numbers[_SEEN] else None

    def see(self, generation: int) -> None:
        """Tell up to which."""
        self.numbers[_SEEN] = generation + 1

    def mark(self, which: int, value: float) -> None:
        """Tell what the process is at now; that is forgotten when it ends."""
        self.numbers[_MARKS + which] = value

    def marked(self, which: int) -> float:
        """What it told."""
        return self.numbers[_MARKS + which]

    def _add(self, key: bytes, count: int) -> int:
        record = _HEAD + int(self.numbers[_USED])
        start = record + 2 + -(-len(key) // _WORD)
        if start + count > len(self.numbers):
            raise BoardFull
        self.numbers[record], self.numbers[record + 1] = len(key), count
        self._bytes[(record + 2) * _WORD : (record + 2) * _WORD + len(key)] = key
        # Last: of a process that is killed before, there is nothing to see.
        self.numbers[_USED] = start + count - _HEAD
        return start

    def _records(self) -> Iterator[tuple[Key, int, int]]:
        record, end = _HEAD, _HEAD + int(self.numbers[_USED])
        while record < end:
            length, count = int(self.numbers[record]), int(self.numbers[record + 1])
            text = bytes(self._bytes[(record + 2) * _WORD : (record + 2) * _WORD + length])
            start = record + 2 + -(-length // _WORD)
            yield tuple(json.loads(text)), start, count
            record = start + count


class Board:
    """The slates of all processes. Made before they are forked."""

    def __init__(self, processes: int = 1) -> None:
        memory = memoryview(mmap(-1, processes * _SLATE_BYTES))
        slices = (memory[at * _SLATE_BYTES : (at + 1) * _SLATE_BYTES] for at in range(processes))
        self.slates = [Slate(each) for each in slices]
        # Pipes: who writes to one rings for the process that reads from it. They are open as long as any process is.
        self._bells = [os.pipe() for _ in range(processes if processes > 1 else 0)]
        for end in chain.from_iterable(self._bells):
            os.set_blocking(end, False)

    @property
    def serving(self) -> int:
        """How many processes take requests."""
        return sum(slate.serves for slate in self.slates)

    def is_behind(self, generation: int) -> bool:
        """Whether a process has looked at the registry and serves what it said before that generation."""
        return any(slate.seen is not None and slate.seen < generation for slate in self.slates)

    def bell_of(self, number: int) -> int | None:
        """The descriptor that a process reads from when another one rings for it."""
        return self._bells[number][0] if self._bells else None

    def ring(self, *, but: int) -> None:
        """Ring for all processes but one."""
        for number, (_, end) in enumerate(self._bells):
            if number != but:
                # One that has not heard yet hears later.
                with suppress(BlockingIOError):
                    os.write(end, b"!")


@dataclass(frozen=True)
class Seat:
    """The board as one process has it; by default, it is the only one."""

    board: Board = field(default_factory=Board)
    number: int = 0

    @property
    def slate(self) -> Slate:
        """Where the process writes."""
        return self.board.slates[self.number]

    @property
    def bell(self) -> int | None:
        """A descriptor that has something to read when another process rings; none where there is no other."""
        return self.board.bell_of(self.number)

    def ring(self) -> None:
        """Have all others look at the registry now."""
        self.board.ring(but=self.number)

    def wait_for_others(self, seconds: float) -> None:
        """Return when all others serve what this process knows of the registry, or after so long."""
        seen, deadline = self.slate.seen, time.monotonic() + seconds
        if seen is None:
            return
        while self.board.is_behind(seen) and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)
