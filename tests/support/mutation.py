"""Breaks one function of the product in one place, to see whether the tests notice."""

import functools
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest

# What `functools.cache` makes of a function.
_KeptAnswers = type(functools.cache(lambda: None))


@contextmanager
def mutated(function: Callable[..., Any], before: str, after: str) -> Iterator[None]:
    """For the block, a piece of the source of a function is another, wherever the function is known by its name.

    Raises:
        AssertionError: when the piece is not there exactly once: then the mutation would not be the one that is meant.
    """
    source = textwrap.dedent(inspect.getsource(function))
    assert source.count(before) == 1, f"{function.__name__} has {before!r} {source.count(before)} times"
    home = sys.modules[function.__module__]
    made: dict[str, Any] = {}
    exec(compile(source.replace(before, after), home.__file__ or "", "exec"), vars(home), made)  # noqa: S102 (its own code)
    with pytest.MonkeyPatch.context() as patched:
        for module in _ours():
            if vars(module).get(function.__name__) is function:
                patched.setattr(module, function.__name__, made[function.__name__])
        _forget_statements()
        yield
    _forget_statements()


def _ours() -> list[ModuleType]:
    return [module for name, module in sys.modules.items() if name.partition(".")[0] in {"shared", "worker", "tests"}]


def _forget_statements() -> None:
    """Have those built again that are built once, of what functions return."""
    for module in _ours():
        if module.__name__.startswith("shared.jobs."):
            for value in vars(module).values():
                if isinstance(value, _KeptAnswers):
                    value.cache_clear()
