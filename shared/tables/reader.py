"""Reads files that nobody has checked yet, in a child process with a limit on its memory and its time."""

import json
import shutil
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shared.errors import (
    InvalidTable,
    ProcessStopping,
    ReaderUnavailable,
    ScratchFull,
    TableTooLarge,
    error_of_code,
)
from shared.logging import get_logger
from shared.sandbox import Ending, LimitTooLow, ProcessLimits, Sandbox, SandboxFailed, address_space_limit
from shared.scratch import Scratch, scratch_errors
from shared.settings import Settings
from shared.tables.columns import Column
from shared.tables.compared import TableDrift, TableFile
from shared.tables.inspected import Inspection, Preview, TableLimits, TableProfile
from shared.tables.options import ReadingOptions
from shared.tables.reading import Reading
from shared.tables.relations import Relations

log = get_logger(__name__)

# Children at one time for each kind of work: large files, small files, first rows. So large files, which may take
# minutes, do not make the others wait. More children would only share the cores and multiply the memory.
_CHILDREN = 2
SMALL_BYTES = 2**20
# The answer is held in memory several times over.
_MOST_ANSWER_BYTES = 32 * 2**20
_SHOWN_CHARACTERS = 2000


class Reader:
    """Checks uploads and shows first rows. Thread-safe; the fork server behind it starts with the first file."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._scratch = Scratch(settings.scratch)
        self._sandbox = Sandbox("shared.tables.inspection:main", scratch=self.folder)
        self._large, self._small, self._previews = (threading.BoundedSemaphore(_CHILDREN) for _ in range(3))
        self._closing = False

    @property
    def folder(self) -> Path:
        """A private folder for the files to read; it goes when the reader closes, or when the next one starts."""
        return self._scratch.folder

    def inspect(self, path: Path, options: ReadingOptions | None = None) -> Inspection:
        """Check a whole file and say what is in it; `options` say how to read it, and the rest is found out.

        Raises:
            InvalidTable: when it is not a table, naming the line where there is one.
            DuplicateColumns: when two columns have one name.
            EmptyTable: when there are no rows or no columns.
            TableTooLarge: when it is over a limit, or needs more memory or time than it may take.
            HeaderDoubtful, ReadingRefused: when it cannot be told how it is meant, or the options do not fit it.
        """
        limits = TableLimits(max_columns=self._settings.table_max_columns, max_bytes=self._settings.table_max_bytes)
        request = {"act": "inspect", "path": str(path), "limits": limits.model_dump()}
        if options is not None:
            request["options"] = options.model_dump(exclude_unset=True)
        return Inspection.model_validate(self._ask(request, self._places(path)))

    def preview(
        self, path: Path, reading: Reading, rows: int, columns: list[Column], *, partial: bool = False
    ) -> Preview:
        """The first rows of a file that was checked; `partial` says that `path` holds only its beginning.

        Raises:
            InvalidTable: when the file is not what was checked, or its beginning is too short to tell.
            TableTooLarge: when it takes too much memory or time, or the rows are too long to show so many.
        """
        found = self._ask(
            {
                "act": "preview",
                **_told(path, reading, columns),
                "rows": rows,
                "partial": partial,
            },
            self._previews,
        )
        return Preview.model_validate(found)

    def profile(self, path: Path, reading: Reading, columns: list[Column]) -> TableProfile:
        """How the values of a file that was checked are spread, and its first rows.

        Raises:
            InvalidTable: when the file is not what was checked.
            TableTooLarge: when it takes too much memory or time.
        """
        request = {"act": "profile", **_told(path, reading, columns)}
        return TableProfile.model_validate(self._ask(request, self._places(path)))

    def compare(self, before: TableFile, after: TableFile) -> TableDrift:
        """How far the values of a table have moved since another one, both of which were checked.

        Raises:
            InvalidTable, TableTooLarge: as for a profile.
        """
        request = {"act": "compare", **_told(*before), "other": _told(*after)}
        return TableDrift.model_validate(self._ask(request, self._places(before.path, after.path)))

    def relate(self, table: TableFile, target: str) -> Relations:
        """How the columns of a table that was checked go together. Raises InvalidTable, TableTooLarge as above."""
        request = {"act": "relate", **_told(*table), "target": target}
        return Relations.model_validate(self._ask(request, self._places(table.path)))

    def check(self) -> None:
        """See whether the system limits the memory of reading; starts the fork server where it may.

        Raises:
            ReaderUnavailable: when it leaves less than the settings say, or too little.
        """
        if address_space_limit() is None:
            return
        try:
            self._sandbox.start()
        except SandboxFailed as error:
            raise self._not_started(error) from None
        granted = self._memory_mb()
        if granted < self._settings.reader_memory_mb:
            raise ReaderUnavailable(
                f"Reading files may use {granted:,} MiB of memory, because the system limits the address space of a "
                f"process (`ulimit -v`, LimitAS= of systemd). MLMINI_READER_MEMORY_MB is "
                f"{self._settings.reader_memory_mb:,}: raise the limit, or lower the setting."
            )

    def close(self) -> None:
        """End the children and remove the private folder; who waits for one hears ProcessStopping."""
        self._closing = True
        self._sandbox.close()
        self._scratch.close()

    def _places(self, *paths: Path) -> threading.BoundedSemaphore:
        return self._small if sum(path.stat().st_size for path in paths) <= SMALL_BYTES else self._large

    def _ask(self, request: dict[str, Any], places: threading.BoundedSemaphore) -> dict[str, Any]:
        with scratch_errors():
            folder = Path(tempfile.mkdtemp(prefix="reading-", dir=self.folder))
        try:
            with scratch_errors():
                (folder / "request.json").write_text(json.dumps(request))
            with places:
                # The reader may have been closed meanwhile, and must not start the fork server again.
                self._raise_if_closing()
                self._read(folder, [Path(each["path"]) for each in (request, request.get("other", request))])
            if (folder / "answer.json").stat().st_size > _MOST_ANSWER_BYTES:
                raise TableTooLarge("What there is to tell of the table is too long. Ask for fewer rows.")
            answer = json.loads((folder / "answer.json").read_text())
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        if "error" in answer:
            error = answer["error"]
            raise error_of_code(error["code"])(error["detail"], errors=error["errors"], **error["members"])
        found: dict[str, Any] = answer["found"]
        return found

    def _read(self, folder: Path, files: Sequence[Path]) -> None:
        """Have the request in the folder answered, which is of these files.

        A child that ends without an answer is followed by another one: what ended it may have had nothing to do with
        the file, and the file is only refused for what it does again.
        """
        for is_last in (False, True):
            ending = self._run(folder, files)
            if ending.ok:
                return
            log.warning("reader_child_failed", ending=str(ending), said=ending.said[-_SHOWN_CHARACTERS:])
            if is_last or ending.out_of_memory or ending.disk_full:
                raise self._error_of(ending)

    def _run(self, folder: Path, files: Sequence[Path]) -> Ending:
        limits = ProcessLimits(memory_mb=self._settings.reader_memory_mb)
        try:
            process = self._sandbox.run(folder, limits, reads=files)
        except SandboxFailed as error:
            self._raise_if_closing()
            raise self._not_started(error) from None
        ending = process.wait(timeout=self._settings.reader_seconds)
        if ending is None:
            process.kill()
            process.wait(timeout=5)
            raise TableTooLarge(
                f"The file could not be read within the {self._settings.reader_seconds:g} seconds that reading may "
                "take here. Upload a smaller one, or have MLMINI_READER_SECONDS raised.",
                limit=self._settings.reader_seconds,
                setting="MLMINI_READER_SECONDS",
            )
        if not ending.ok:
            # A file is not damaged because its reader was ended.
            self._raise_if_closing()
        return ending

    def _not_started(self, error: SandboxFailed) -> ReaderUnavailable:
        if isinstance(error, LimitTooLow):
            return ReaderUnavailable(str(error))
        log.error("reader_not_started", said=str(error)[-_SHOWN_CHARACTERS:])
        return ReaderUnavailable(
            "The process that reads files cannot start, or is ended at once; the log of the API has the cause. The "
            "file is not at fault."
        )

    def _memory_mb(self) -> int:
        """What reading may use: as the settings say, or less where the system does not give it."""
        room = self._sandbox.room_mb
        return self._settings.reader_memory_mb if room is None else min(room, self._settings.reader_memory_mb)

    def _raise_if_closing(self) -> None:
        if self._closing:
            raise ProcessStopping

    def _error_of(self, ending: Ending) -> Exception:
        if ending.out_of_memory:
            granted = self._memory_mb()
            setting = "MLMINI_READER_MEMORY_MB" if granted == self._settings.reader_memory_mb else None
            raised = setting or "the system's limit of address space (`ulimit -v`)"
            return TableTooLarge(
                f"The file needs more than the {granted:,} MiB of memory that reading may take here. Upload fewer "
                f"columns, or shorter rows or row groups, or have {raised} raised.",
                limit=granted,
                setting=setting,
            )
        if ending.disk_full:
            return ScratchFull()
        if ending.crashed:
            return InvalidTable(
                f"The file makes the process that reads it fail ({ending}), now and when it was tried again: it is "
                "damaged, or holds what the reader does not know. Write it again, or as CSV."
            )
        return ReaderUnavailable(
            f"The process that read the file was ended or hindered from outside ({ending}), most often because its "
            "machine is short of memory. The file is not at fault: send it again."
        )


def _told(path: Path, reading: Reading, columns: list[Column]) -> dict[str, Any]:
    """A file that was checked, as the child is told of it."""
    columns_told = [column.model_dump(mode="json") for column in columns]
    return {"path": str(path), "reading": reading.model_dump(), "columns": columns_told}
