"""Which processes still run, asked and ended without stumbling over those that end meanwhile."""

from collections.abc import Iterable
from contextlib import suppress

import psutil


def alive(process: psutil.Process | int) -> bool:
    """Whether it still runs, by itself or by its number; a zombie has ended."""
    with suppress(psutil.NoSuchProcess):
        known = psutil.Process(process) if isinstance(process, int) else process
        return known.is_running() and known.status() != psutil.STATUS_ZOMBIE
    return False


def kill_each(processes: Iterable[psutil.Process]) -> None:
    """SIGKILL to those that still run."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
