"""Runs code of scikit-learn: with its share of cores, its warnings kept and its errors turned into ours."""

import functools
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import joblib
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]  # it ships no types

from shared.errors import FitFailed, PlatformError
from shared.estimators.catalogue import Estimator

_MOST_WARNINGS = 20
_LENGTH = 500
_PATH = re.compile(r"(?:[A-Za-z]:)?[/\\](?:[\w.+-]+[/\\])+[\w.+-]*")
# Where in its C++ a library met an error: the time and the line before its words, and the calls after them.
_TRACE = re.compile(r"^\[\d\d:\d\d:\d\d\] \S+:\d+: |\s*Stack trace:.*|^\S+\.cpp:\d+: ", re.DOTALL)
# A package of an administrator's own may ask for what computations do not have.
_KEPT_FROM = "it asks for a file, a connection or a process of the system that computations are kept from: "
_NO_THREAD = "can't start new thread"
# What estimators raise for data or parameters that they do not take. MemoryError is not among them.
_FIT_ERRORS = (ValueError, TypeError, ArithmeticError, LookupError, AttributeError, RuntimeError, NotImplementedError)


@contextmanager
def share_of_cores(threads: int) -> Iterator[None]:
    """Limit the threads of joblib, OpenMP and BLAS. Threads, because more processes would escape the job's limits."""
    libraries = _libraries(len(sys.modules))
    with joblib.parallel_config(backend="threading", n_jobs=threads), libraries.limit(limits=threads):
        yield


def threads_of_share() -> int:
    """How many threads a library may take that does not ask joblib: those of the share of cores around it, else one."""
    return int(joblib.parallel.get_active_backend()[1] or 1)


@functools.lru_cache(maxsize=1)
def _libraries(_modules: int) -> ThreadpoolController:
    """What has threads of its own among the loaded libraries.

    To look for them takes as long as a small fit, so that it is done again only when more modules have been imported.
    """
    return ThreadpoolController()


@contextmanager
def kept_warnings() -> Iterator[list[str]]:
    """Collect each distinct warning of the block once, as a sentence; the list is filled when the block ends."""
    sentences: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield sentences
    for warning in caught:
        sentence = f"{warning.category.__name__}: {_told(str(warning.message))}"
        if sentence not in sentences and len(sentences) < _MOST_WARNINGS:
            sentences.append(sentence)


@contextmanager
def errors_of_fit(estimator: Estimator, *, of_libraries: bool = False) -> Iterator[None]:
    """Turn what the estimator raises into one sentence. `of_libraries` may raise errors of their own, below no other.

    Raises:
        FitFailed: with the estimator's own message.
        MemoryError: when there is none for another thread.
    """
    try:
        yield
    except _FIT_ERRORS as error:
        if isinstance(error, RuntimeError) and str(error) == _NO_THREAD:
            # The stack of a thread is memory, too.
            raise MemoryError from error
        raise _failed(estimator, error) from error
    except PermissionError as error:
        raise _failed(estimator, error, _KEPT_FROM) from error
    except Exception as error:
        if not of_libraries or isinstance(error, PlatformError | MemoryError | OSError):
            raise
        raise _failed(estimator, error) from error


def _failed(estimator: Estimator, error: Exception, beginning: str = "") -> FitFailed:
    told = beginning + (_told(str(error)) or type(error).__name__)
    return FitFailed(f"{estimator.key} could not be fitted to this data: {told}")


def _told(message: str) -> str:
    """A message as one line of bounded length, without names of files."""
    line = _PATH.sub("…", " ".join(_TRACE.sub("", message).split()))
    return line if len(line) <= _LENGTH else f"{line[:_LENGTH]}…"
