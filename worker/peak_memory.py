"""The most memory that this process has held, as the kernel counts it."""

from pathlib import Path

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")
# What the file takes for: count from now on.
_PEAK = "5"
_NAME = "VmHWM:"


def count_anew() -> bool:
    """Have the peak counted from what is held now; False where the system does not let us."""
    try:
        _CLEAR.write_text(_PEAK)
    except OSError:
        return False
    return True


def peak_bytes() -> int | None:
    """The largest resident set since the process began or the peak was counted anew; None where nobody counts."""
    try:
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return None
    found = next((line for line in lines if line.startswith(_NAME)), None)
    # The kernel writes it in kB, and means 1,024 bytes.
    return None if found is None else int(found.split()[1]) * 1024
