"""Computing processes: they have limits, can be killed, may crash, and hold no secrets.

They are forked from a server that has already imported the heavy libraries. So one starts within some 35 ms, while
importing scikit-learn and pandas takes seconds.
"""

from shared.sandbox.client import LimitTooLow, Sandbox, SandboxFailed, SandboxProcess
from shared.sandbox.limits import OUT_OF_MEMORY, Ending, ProcessLimits, address_space_limit

__all__ = [
    "OUT_OF_MEMORY",
    "Ending",
    "LimitTooLow",
    "ProcessLimits",
    "Sandbox",
    "SandboxFailed",
    "SandboxProcess",
    "address_space_limit",
]
