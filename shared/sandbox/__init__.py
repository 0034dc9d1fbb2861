"""Computing processes that can be capped, killed and may crash, and that hold no secret.

They are forked from a server that has the heavy libraries imported, so that one is at work some 35 ms after it is
asked for; importing scikit-learn and pandas takes seconds.
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
