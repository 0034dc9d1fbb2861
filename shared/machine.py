"""What this process may use of its machine: cores and memory, as the kernel and a container engine cap them."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_ROOT = Path("/")
_CGROUPS = Path("sys/fs/cgroup")


class Caps(NamedTuple):
    """What control groups allow; None where they set no cap."""

    cores: float | None = None
    memory_mb: int | None = None


class Machine(NamedTuple):
    """What is left after all caps: at least one core."""

    cores: int
    memory_mb: int

    def slots(self, *, job_memory_mb: int) -> int:
        """How many jobs may run at once, so that each has a core and its memory; at least one."""
        return max(1, min(self.cores, self.memory_mb // job_memory_mb))


def this_machine() -> Machine:
    """The machine as this process sees it. A part of a core does not count."""
    caps = cgroup_caps()
    # Batch systems and `taskset` leave a process some of the cores.
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    memory_mb = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20
    if caps.cores is not None:
        cores = min(cores, int(caps.cores))
    if caps.memory_mb is not None:
        memory_mb = min(memory_mb, caps.memory_mb)
    return Machine(max(1, cores), memory_mb)


def cgroup_caps(root: Path = _ROOT) -> Caps:
    """The strictest caps of the control groups that this process is in, of both versions; none where there are none."""
    cores: list[float] = []
    memory: list[int] = []
    for group in _groups(root, ""):
        cores += _quota(_words(group / "cpu.max"))
        memory += _mebibytes(_words(group / "memory.max"))
    for group in _groups(root, "cpu"):
        cores += _quota(_words(group / "cpu.cfs_quota_us") + _words(group / "cpu.cfs_period_us"))
    for group in _groups(root, "memory"):
        memory += _mebibytes(_words(group / "memory.limit_in_bytes"))
    return Caps(min(cores, default=None), min(memory, default=None))


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """The folders of this process's group and of all above it, whose caps hold as well.

    A container may see the path that its group has outside, although that folder does not exist inside: then only the
    root folder exists, and it is the container's own.
    """
    mount = root / _CGROUPS / controller
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            own = mount / path.lstrip("/")
            yield from (folder for folder in [own, *own.parents] if folder.is_relative_to(mount))


def _quota(words: list[str]) -> list[float]:
    """Microseconds of time in each period, as cores; "max" and -1 stand for no cap."""
    match _numbers(words):
        case [quota, period] if quota > 0 and period > 0:
            return [quota / period]
    return []


def _mebibytes(words: list[str]) -> list[int]:
    return [number // 2**20 for number in _numbers(words)]


def _numbers(words: list[str]) -> list[int]:
    return [int(word) for word in words if word.removeprefix("-").isdecimal()]


def _words(path: Path) -> list[str]:
    return [word for line in _lines(path) for word in line.split()]


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        # Not this version of control groups, or none at all.
        return []
