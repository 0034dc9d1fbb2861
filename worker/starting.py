"""The start of a worker: what is away is waited for, what is wrong is told."""

import sys
import time
from collections.abc import Callable

from shared.errors import Unavailable
from shared.logging import get_logger
from shared.settings import Settings
from worker.runtime import Runtime

log = get_logger(__name__)

_RETRY_SECONDS = 1


def open_runtime(settings: Settings, is_stopping: Callable[[], bool]) -> Runtime:
    """The runtime, as soon as the database and the object store answer.

    A worker that ended instead would have to be started again by somebody, each time that a part restarts.

    Raises:
        WrongSettings: when waiting does not help.
        SystemExit: when asked to stop meanwhile.
    """
    told = ""
    while True:
        try:
            return Runtime(settings)
        except Unavailable as error:
            if error.detail != told:
                log.warning("start_waits", code=error.code, detail=error.detail)
            told = error.detail
        time.sleep(_RETRY_SECONDS)
        if is_stopping():
            sys.exit(0)
