"""A worker whose clock is wrong: `python -m tests.support.chaos.shifted_worker SECONDS`.

It is wrong for all that this process asks in Python, the signatures of requests to S3 among it, but for what kept a
function as a default. A library that shifts the clock of whole processes is not among the packages that everybody can
install. The clock of the database, by which alone leases are told, is right.
"""

import datetime as dt
import importlib
import os
import sys
import time
from types import ModuleType
from typing import Any

MODULE = "tests.support.chaos.shifted_worker"


def shift(seconds: float) -> None:
    """Let the clock be wrong from now on, for all modules: those that are imported, and those that will be."""
    right_time, right_time_ns, right_gmtime, right_localtime = time.time, time.time_ns, time.gmtime, time.localtime
    right = [right_time, right_time_ns, right_gmtime, right_localtime, dt.datetime]
    time.time = lambda: right_time() + seconds
    time.time_ns = lambda: right_time_ns() + int(seconds * 10**9)
    time.gmtime = lambda of=None: right_gmtime(time.time() if of is None else of)
    time.localtime = lambda of=None: right_localtime(time.time() if of is None else of)
    dt.datetime = _shifted(dt.datetime, seconds)  # type: ignore[misc] # this is what it is about
    wrong = [time.time, time.time_ns, time.gmtime, time.localtime, dt.datetime]
    instead = {id(old): new for old, new in zip(right, wrong, strict=True)}
    for module in [each for each in sys.modules.values() if isinstance(each, ModuleType)]:
        for name, value in [*vars(module).items()]:
            if id(value) in instead and module.__name__ != __name__:
                setattr(module, name, instead[id(value)])


def _shifted(right: type[dt.datetime], seconds: float) -> type[dt.datetime]:
    class Kind(type):
        # What C code makes is a moment, too.
        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, right)

        def __subclasscheck__(cls, subclass: type) -> bool:
            return issubclass(subclass, right)

    class Shifted(right, metaclass=Kind):  # type: ignore[misc, valid-type] # the base is a parameter
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Any:
            return right.now(tz) + dt.timedelta(seconds=seconds)

        @classmethod
        def utcnow(cls) -> Any:
            return right.now(dt.UTC).replace(tzinfo=None) + dt.timedelta(seconds=seconds)

    return Shifted


if __name__ == "__main__":
    shift(float(sys.argv[1]))
    sys.path.insert(0, os.environ["PYTHONPATH"])
    importlib.import_module("worker.__main__").main()
