"""pytest in a process that is forked from this one, which has imported the large libraries for it."""

import gc
import importlib
import multiprocessing
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from shared.processes import adopt_orphans, follow_parent
from tests.support.mutants.copy import Copy

# What most tests import, and what takes long. None of it is of the project: a child imports that from the copy.
LARGE = (
    *("alembic.command", "boto3", "celery", "fastapi", "joblib", "numpy", "pandas", "psycopg", "pyarrow.csv"),
    *("pydantic_settings", "redis", "sklearn.ensemble", "sklearn.linear_model", "sklearn.metrics", "sklearn.pipeline"),
    *("sqlalchemy.orm", "structlog", "uvicorn"),
    # Plugins that pytest would import each time.
    *("anyio.pytest_plugin", "hypothesis", "pytest_celery", "pytest_timeout", "schemathesis.pytest.plugin"),
)
_OPTIONS = ("-x", "-q", "--no-header", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov")
# pytest says of its plugins that they were imported before it could look at them.
_QUIET = ("-W", "ignore::pytest.PytestAssertRewriteWarning")

Status = int | None


def prepare() -> None:
    """Import what children share, and have the kernel hand their orphans to this process."""
    for name in LARGE:
        with suppress(ImportError):
            importlib.import_module(name)
    # What stays for ever is not looked through at the end of each child.
    gc.freeze()
    adopt_orphans()


def run_pytest(
    copy: Copy, arguments: list[str], *, seconds: float, log: Path, prepared: Callable[[], list[object]] = list
) -> Status:
    """The exit status of pytest in the copy; None when it took longer than `seconds`.

    `prepared` runs in the child and gives plugins.
    """
    fork = multiprocessing.get_context("fork")
    child = fork.Process(target=_run, args=(copy, arguments, log, prepared, os.getpid()))
    child.start()
    try:
        child.join(seconds)
        return child.exitcode
    finally:
        _end_all()
        child.join()
        copy.empty_scratch()


def _end_all() -> None:
    """End what the child left, wherever it went: it is a descendant of this process."""
    while found := psutil.Process().children(recursive=True):
        for process in found:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(found, timeout=10)


def _run(copy: Copy, arguments: list[str], log: Path, prepared: Callable[[], list[object]], parent: int) -> None:
    follow_parent(signal.SIGKILL, parent=parent)
    os.setsid()
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    _move(copy)
    plugins = prepared()
    sys.exit(pytest.main([*_OPTIONS, *_QUIET, *arguments], plugins=plugins))


def _move(copy: Copy) -> None:
    """Have this process, and those that it will start, import the project from the copy."""
    project = {path.name for path in copy.root.iterdir() if path.is_dir()}
    for name in [name for name in sys.modules if name.partition(".")[0] in project]:
        del sys.modules[name]
    sys.path[0] = str(copy.root)
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.chdir(copy.root)
    os.environ["PYTHONPATH"] = str(copy.root)
    os.environ["TMPDIR"] = tempfile.tempdir = str(copy.scratch)
