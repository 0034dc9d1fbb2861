"""Where predictions go: a file that is there whole or not at all, or standard output."""

import csv
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from stat import S_IMODE
from typing import Any, Protocol, TextIO

from cli.client.errors import CommandFailed
from cli.render.text import clean, json_text

STANDARD = "-"


class Sink(Protocol):
    """Takes rows with what was predicted for them."""

    def add(self, rows: Sequence[Sequence[str]], answer: dict[str, Any]) -> None:
        """Take some rows, in their order, with the API's answer for them."""

    def finish(self) -> None:
        """Write what is left."""


class CsvSink:
    """The rows as they came, with the prediction, and the probabilities if there are any, at their end.

    On a terminal, what would steer it is shown as escapes.
    """

    def __init__(self, file: TextIO, *, delimiter: str, header: Sequence[str]) -> None:
        self._writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        self._header: Sequence[str] = header
        self._file = file
        self._on_terminal = file.isatty()

    def add(self, rows: Sequence[Sequence[str]], answer: dict[str, Any]) -> None:
        """Write the rows."""
        self._begin()
        probabilities = answer.get("probabilities") or [[]] * len(rows)
        for row, prediction, shares in zip(rows, answer["predictions"], probabilities, strict=True):
            self._write([*row, _cell(prediction), *map(_cell, shares)])
        self._file.flush()

    def finish(self) -> None:
        """Write what a table without rows has, too."""
        self._begin()

    def _begin(self) -> None:
        # Only now: what goes wrong at the first rows leaves nothing behind, not even on standard output.
        if self._header:
            self._write(self._header)
            self._header = []

    def _write(self, cells: Sequence[Any]) -> None:
        if self._on_terminal:
            cells = [clean(cell) if isinstance(cell, str) else cell for cell in cells]
        self._writer.writerow(cells)


class JsonSink:
    """One answer for all rows, in the API's own form."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._answer: dict[str, Any] = {}

    def add(self, rows: Sequence[Sequence[str]], answer: dict[str, Any]) -> None:
        """Keep the answer."""
        del rows
        if not self._answer:
            self._answer = answer
            return
        for name in {"predictions", "probabilities"} & set(answer):
            self._answer[name] += answer[name]

    def finish(self) -> None:
        """Write the answer; without rows there is none."""
        indent = 2 if self._file.isatty() else None
        self._file.write(json_text(self._answer or {"predictions": []}, indent=indent) + "\n")


@contextmanager
def opened(target: str) -> Iterator[TextIO]:
    """A text file to write to; the file of this name changes only if everything went well.

    Raises:
        CommandFailed: when it cannot be written.
    """
    # The file behind a link is written, and the link stays.
    path = Path(os.path.realpath(target))
    if target == STANDARD:
        yield sys.stdout
        return
    try:
        # A device or a pipe cannot be replaced.
        if path.exists() and not path.is_file():
            with path.open("w", encoding="utf-8", newline="") as file:
                yield file
            return
        with _replacing(path) as file:
            yield file
    except OSError as error:
        raise CommandFailed(f"{target} cannot be written: {error.strerror}.") from None


@contextmanager
def _replacing(path: Path) -> Iterator[TextIO]:
    draft = path.with_name(f".{path.name}.{token_hex(4)}.part")
    try:
        with draft.open("x", encoding="utf-8", newline="") as file:
            with suppress(FileNotFoundError):
                draft.chmod(S_IMODE(path.stat().st_mode))
            yield file
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else value
