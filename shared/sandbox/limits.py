"""What a computing process may use, and how it ended."""

import resource
import sys
from dataclasses import dataclass
from pathlib import Path

# Exit codes of a computing process beside 0, chosen outside of what Python and shells use themselves.
FAILED = 70
OUT_OF_MEMORY = 77


@dataclass(frozen=True)
class Limits:
    """Caps of one computing process. `memory_mb` counts what it may add to what the server had when it forked."""

    memory_mb: int


@dataclass(frozen=True)
class Ending:
    """How a computing process ended: by an exit code or by a signal. Both are None when its server died."""

    exit_code: int | None = None
    signal: int | None = None

    @property
    def ok(self) -> bool:
        """Whether the entry function returned."""
        return self.exit_code == 0

    @property
    def out_of_memory(self) -> bool:
        """Whether an allocation was refused."""
        return self.exit_code == OUT_OF_MEMORY

    def __str__(self) -> str:
        if self.signal is not None:
            return f"signal {self.signal}"
        return "no answer" if self.exit_code is None else f"exit code {self.exit_code}"


def apply(limits: Limits) -> None:
    """Cap the calling process, for good."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        cap = _address_space() + limits.memory_mb * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (cap, cap))


def _address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()
