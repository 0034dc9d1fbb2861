"""The limits of a computing process, and how it ended."""

import resource
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

# A fork server says this when it is ready for a request; at its start it adds its room for memory, if that is limited.
READY = b"+"

# Exit codes of a computing process besides 0, none of which Python or shells use.
FAILED = 70
OUT_OF_MEMORY = 77
DISK_FULL = 78
SYSTEM_FAULT = 79

# The signals that a process gets for its own errors. All others come from outside, also SIGKILL for want of memory.
_OF_CRASHES = {
    signal.SIGSEGV,
    signal.SIGABRT,
    signal.SIGBUS,
    signal.SIGFPE,
    signal.SIGILL,
    signal.SIGSYS,
    signal.SIGTRAP,
}

# What Rust, C++ and Arrow print before they abort for want of memory.
_ALLOCATIONS = ("memory allocation of ", "bad_alloc", "Out of memory: ")

_MIB = 2**20
_VIRTUAL_MEMORY = Path("/proc/vmstat")


@dataclass(frozen=True)
class ProcessLimits:
    """The limits of one computing process. `memory_mb` is what it may use beyond what the server had when it forked."""

    memory_mb: int


@dataclass(frozen=True)
class Ending:
    """How a computing process ended: by an exit code or by a signal. Both are None when its server died.

    `peak_memory_mb` is the most memory that was resident at one time, in MiB, including some 200 MiB of libraries that
    it shares with its server. `cpu_seconds` is the user and system time of all its threads, and of the processes that
    it started and waited for. `said` is the end of what it printed.
    """

    exit_code: int | None = None
    signal: int | None = None
    peak_memory_mb: float | None = None
    cpu_seconds: float | None = None
    said: str = ""

    @property
    def ok(self) -> bool:
        """Whether the entry function returned."""
        return self.exit_code == 0

    @property
    def out_of_memory(self) -> bool:
        """Whether an allocation was refused."""
        aborted = self.signal == signal.SIGABRT and any(words in self.said for words in _ALLOCATIONS)
        return self.exit_code == OUT_OF_MEMORY or aborted

    @property
    def disk_full(self) -> bool:
        """Whether a file could not be written for want of room."""
        return self.exit_code == DISK_FULL

    @property
    def crashed(self) -> bool:
        """Whether it ended by its own fault: by an unforeseen error, or by a crash."""
        return self.exit_code == FAILED or self.signal in _OF_CRASHES

    def __str__(self) -> str:
        if self.signal is not None:
            return f"signal {self.signal}"
        return "no answer" if self.exit_code is None else f"exit code {self.exit_code}"


def apply(limits: ProcessLimits) -> None:
    """Limit the calling process for good, within the limits that the system has set already."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        cap = _address_space() + limits.memory_mb * _MIB
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        if hard != resource.RLIM_INFINITY:
            cap = min(cap, hard)
        resource.setrlimit(resource.RLIMIT_AS, (cap, cap))


def address_space_limit() -> int | None:
    """The system's hard limit on the address space of a process (`ulimit -v`), in MiB; None if there is none."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    return None if hard == resource.RLIM_INFINITY or sys.platform != "linux" else hard // _MIB


def room_for_memory() -> int | None:
    """How much more the calling process may use under that limit, in MiB; None if there is no limit."""
    limit = address_space_limit()
    return None if limit is None else max(0, limit - _address_space() // _MIB)


def memory_kills() -> int | None:
    """How many processes this machine's kernel has killed for want of memory; None if it does not say."""
    try:
        lines = _VIRTUAL_MEMORY.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), None)


def _address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()
