"""The predicting processes of an API process: started from one fork server, asked over sockets, ended."""

import select
import socket
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from shared.errors import ModelUnavailable, ProcessStopping
from shared.logging import get_logger
from shared.prediction.messages import Closed, Garbled, Message, receive, send
from shared.sandbox import Ending, LimitTooLow, ProcessLimits, Sandbox, SandboxFailed, SandboxProcess
from shared.scratch import Scratch, scratch_errors
from shared.settings import Settings

log = get_logger(__name__)

_ENTRY = "shared.prediction.predicting_process:main"
_SHOWN_CHARACTERS = 2000
# How long it may take to tell how a process ended that has closed its socket.
_END_SECONDS = 5.0


class ProcessEnded(Exception):
    """A predicting process ended, or said what makes no sense, before it answered."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(str(ending))
        self.ending = ending


class PredictingProcess:
    """One process. One thread may ask it at a time."""

    def __init__(self, process: SandboxProcess, connection: socket.socket, *, most_bytes: int) -> None:
        """`most_bytes` is the longest answer that is taken."""
        self._process = process
        self._connection = connection
        self._most_bytes = most_bytes

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def waits(self) -> bool:
        """Whether it waits to be asked. One that has ended, or speaks without being asked, does not."""
        news = select.poll()
        news.register(self._connection, select.POLLIN)
        return not news.poll(0)

    def ask(self, said: dict[str, Any], arrays: Sequence[NDArray[Any]] = (), *, seconds: float) -> Message:
        """The answer to a message. After an error the process is ended.

        Raises:
            ProcessEnded: when it ended before it answered.
            TimeoutError: when it did not answer in time.
        """
        deadline = time.monotonic() + seconds
        try:
            self._connection.settimeout(seconds)
            send(self._connection, said, arrays)
            return receive(self._connection, most_bytes=self._most_bytes, deadline=deadline)
        except (Closed, Garbled) as error:
            raise ProcessEnded(self._ending(error)) from error
        except BaseException:
            self.end()
            raise

    def end(self) -> None:
        """End it, whatever it does; nothing is waited for."""
        self._connection.close()
        self._process.abandon()

    def last_words(self) -> str:
        """The end of what it printed; it is ended by then."""
        ending = self._process.wait(timeout=_END_SECONDS) or Ending()
        self.end()
        return ending.said[-_SHOWN_CHARACTERS:]

    def _ending(self, error: Exception) -> Ending:
        if isinstance(error, Garbled):
            self._process.kill()
        ending = self._process.wait(timeout=_END_SECONDS) or Ending()
        self.end()
        log.warning("predicting_process_ended", pid=self.pid, ending=str(ending), said=ending.said[-_SHOWN_CHARACTERS:])
        return ending


class PredictingProcesses:
    """Starts predicting processes. Thread-safe; the fork server behind them starts with the first one."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._scratch: Scratch | None = None
        self._sandbox: Sandbox | None = None
        self._closing = False

    def folder(self) -> Path:
        """A new private folder for what a process needs; whoever asks for it removes it.

        Raises:
            ScratchFull, ScratchUnavailable: when there can be none.
            ProcessStopping: when the API is being closed.
        """
        with scratch_errors():
            scratch, _ = self._opened()
            return Path(tempfile.mkdtemp(prefix="predicting-", dir=scratch.folder))

    def start(self, folder: Path) -> PredictingProcess:
        """Start a process in a folder.

        Raises:
            ModelUnavailable: when none can be started.
            ProcessStopping: when the API is being closed.
        """
        memory_mb = self._settings.predictor_memory_mb
        _, sandbox = self._opened()
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                process = sandbox.run(folder, ProcessLimits(memory_mb=memory_mb), given=theirs)
        except BaseException as error:
            ours.close()
            self.raise_if_closing()
            if isinstance(error, SandboxFailed):
                raise _not_started(error) from None
            raise
        return PredictingProcess(process, ours, most_bytes=memory_mb * 2**20)

    def close(self) -> None:
        """End all processes; who waits for one hears ProcessStopping."""
        with self._lock:
            self._closing = True
        if self._sandbox is not None:
            self._sandbox.close()
        if self._scratch is not None:
            self._scratch.close()

    def raise_if_closing(self) -> None:
        """Make sure that processes are not ended because the API is being closed.

        Raises:
            ProcessStopping: when they are.
        """
        if self._closing:
            raise ProcessStopping

    def _opened(self) -> tuple[Scratch, Sandbox]:
        with self._lock:
            # Closed meanwhile, the fork server must not be started again.
            self.raise_if_closing()
            if self._scratch is None or self._sandbox is None:
                self._scratch = Scratch(self._settings.scratch)
                self._sandbox = Sandbox(_ENTRY, scratch=self._scratch.folder)
            return self._scratch, self._sandbox


def _not_started(error: SandboxFailed) -> ModelUnavailable:
    if isinstance(error, LimitTooLow):
        return ModelUnavailable(str(error))
    log.error("predictor_not_started", said=str(error)[-_SHOWN_CHARACTERS:])
    return ModelUnavailable(
        "The process that predicts cannot start, or is ended at once; the log of the API has the cause. The model is "
        "not at fault."
    )
