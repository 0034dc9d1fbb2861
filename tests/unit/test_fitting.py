"""What surrounds a fit: its share of the cores, and its warnings and errors as sentences."""

import subprocess
import sys
import warnings

import joblib
import pytest
import threadpoolctl  # type: ignore[import-untyped]  # it ships no types
from threadpoolctl import ThreadpoolController

from shared.errors import FitFailed
from shared.estimators.catalogue import find_estimator
from shared.sandbox.client import environment
from shared.training.fitting import errors_of_fit, kept_warnings, share_of_cores
from shared.training.trainer import train
from tests.support.processes import ROOT
from tests.support.training_tables import numeric_classes, profile_of, spec_of


def threads_of_libraries() -> set[int]:
    """How many threads OpenMP and BLAS would use."""
    return {library["num_threads"] for library in threadpoolctl.threadpool_info()}


def jobs() -> tuple[str, int]:
    """How joblib would run tasks, and how many at once."""
    backend, _ = joblib.parallel.get_active_backend()
    return type(backend).__name__, joblib.effective_n_jobs(None)


@pytest.mark.parametrize("threads", [1, 3])
def test_a_share_of_cores_holds_for_joblib_openmp_and_blas(threads: int) -> None:
    before = (jobs(), threads_of_libraries())
    with share_of_cores(threads):
        assert jobs() == ("ThreadingBackend", threads)
        assert threads_of_libraries() == {threads}
    assert (jobs(), threads_of_libraries()) == before


def test_a_forked_computation_may_have_more_cores_than_its_fork_server_has() -> None:
    program = """
import os
from threadpoolctl import threadpool_info
from shared.training.fitting import share_of_cores
def show():
    print({one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}, flush=True)
show()
if os.fork() == 0:
    with share_of_cores(3):
        show()
    os._exit(0)
os.wait()
"""
    shown = subprocess.run(
        [sys.executable, "-c", program], env=environment(), cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert shown.stdout.split() == ["{1}", "{3}"]


def test_libraries_are_looked_for_again_once_more_modules_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[ThreadpoolController] = []

    def look() -> ThreadpoolController:
        looked.append(ThreadpoolController())
        return looked[-1]

    monkeypatch.setattr("shared.training.fitting.ThreadpoolController", look)
    monkeypatch.setitem(sys.modules, "a_first_library", sys)
    for _ in range(3):
        with share_of_cores(1):
            assert threads_of_libraries() == {1}
    assert len(looked) == 1
    monkeypatch.setitem(sys.modules, "one_more_library", sys)
    with share_of_cores(1):
        assert len(looked) == 2


def test_fit_and_evaluation_get_the_share_that_the_training_was_given() -> None:
    table, found = numeric_classes(), {}

    def hear(step: str, _percent: int, *, measured: bool = False) -> None:
        found[step] = (jobs()[1], threads_of_libraries())

    train(spec_of("svm.SVC"), table, profile_of(table), threads=3, folds=0, on_step=hear)
    assert found["fitting"] == found["evaluating"] == (3, {3})


def test_each_warning_is_kept_once_and_twenty_of_them_at_most() -> None:
    with kept_warnings() as sentences:
        for number in range(30):
            for _ in range(2):
                warnings.warn(f"Number {number}.", stacklevel=1)
    assert sentences == [f"UserWarning: Number {number}." for number in range(20)]


def test_a_warning_is_one_line_of_five_hundred_characters_without_names_of_files() -> None:
    with kept_warnings() as sentences:
        warnings.warn("See /home/somebody/data.csv\nand C:\\data\\more.csv, twice", stacklevel=1)
        warnings.warn("x" * 501, stacklevel=1)
        warnings.warn("y" * 500, stacklevel=1)
    assert sentences == [
        "UserWarning: See … and …, twice",
        f"UserWarning: {'x' * 500}…",
        f"UserWarning: {'y' * 500}",
    ]


@pytest.mark.parametrize(
    "error", [ValueError, TypeError, ZeroDivisionError, KeyError, AttributeError, RuntimeError, NotImplementedError]
)
def test_what_an_estimator_raises_becomes_a_sentence(error: type[Exception]) -> None:
    said = r"^svm\.SVC could not be fitted to this data: .*no"
    with pytest.raises(FitFailed, match=said) as refused, errors_of_fit(find_estimator("svm", "SVC")):
        raise error("no")
    assert isinstance(refused.value.__cause__, error)
    with pytest.raises(FitFailed, match=rf"data: {error.__name__}$"), errors_of_fit(find_estimator("svm", "SVC")):
        raise error


def test_an_estimator_that_asks_for_what_it_is_kept_from_is_told_so() -> None:
    kept_from = PermissionError(13, "Permission denied", "/etc/secret")
    with (
        pytest.raises(FitFailed, match=r"that computations are kept from: \[Errno 13\] Permission denied: '…'$"),
        errors_of_fit(find_estimator("svm", "SVC")),
    ):
        raise kept_from


def test_a_want_of_memory_is_not_an_error_of_the_estimator() -> None:
    with pytest.raises(MemoryError), errors_of_fit(find_estimator("svm", "SVC")):
        raise MemoryError
    with pytest.raises(MemoryError), errors_of_fit(find_estimator("svm", "SVC")):
        raise RuntimeError("can't start new thread")
