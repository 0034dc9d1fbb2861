"""The table from errors to the steps of the job protocol."""

import errno

import pytest

from shared.errors import (
    ComputationCrashed,
    DatabaseDamaged,
    DatabaseUnavailable,
    FitFailed,
    OutOfMemory,
    PlatformError,
    StageSkipped,
    StoreUnavailable,
    TimeLimitExceeded,
    error_of_code,
    leaves,
)
from shared.jobs.claims import Fenced
from shared.jobs.endings import CANCELLED
from shared.jobs.rescue import WORKER_LOST
from shared.sandbox import SandboxFailed
from worker.heartbeat import CancelRequested
from worker.outcomes import VERDICTS, Verdict, failure_of, verdict_of
from worker.runtime import Stopping


@pytest.mark.parametrize("error", list(leaves()), ids=lambda leaf: leaf.code)
def test_every_error_of_the_platform_has_a_verdict(error: type[PlatformError]) -> None:
    assert any(kind in VERDICTS for kind in error.__mro__)


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (StoreUnavailable("down"), Verdict.RETRY),
        (DatabaseUnavailable("down"), Verdict.RETRY),
        (DatabaseDamaged("damaged"), Verdict.HAND_BACK),
        (SandboxFailed("no"), Verdict.RETRY),
        (FitFailed("bad data"), Verdict.FAIL),
        (OutOfMemory("too much"), Verdict.FAIL),
        (TimeLimitExceeded("too long"), Verdict.FAIL),
        (StageSkipped("no"), Verdict.FAIL),
        (ComputationCrashed("signal 11"), Verdict.CRASH),
        (Stopping(), Verdict.HAND_BACK),
        (CancelRequested(), Verdict.CONFIRM_CANCEL),
        (Fenced(), Verdict.CONFIRM_CANCEL),
        (OSError(errno.ENOSPC, "No space left on device"), Verdict.RETRY),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), Verdict.RETRY),
        (OSError(errno.EIO, "Input/output error"), Verdict.FAIL),
        (ZeroDivisionError("unknown"), Verdict.FAIL),
    ],
    ids=lambda value: f"{type(value).__name__} {value}" if isinstance(value, Exception) else value.name,
)
def test_the_verdict_follows_from_whether_another_try_can_help(error: Exception, verdict: Verdict) -> None:
    assert verdict_of(error) is verdict


def test_the_client_learns_the_code_and_the_sentence_of_a_known_error() -> None:
    failure = failure_of(FitFailed("Input X contains NaN."))
    assert (failure.code, failure.message) == ("fit_failed", "Input X contains NaN.")


@pytest.mark.asvs("16.5.1")
def test_the_client_learns_nothing_of_an_unexpected_error() -> None:
    failure = failure_of(ValueError("/home/secret/path"))
    assert failure.code == "internal_error"
    assert "secret" not in failure.message


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/home/secret"), "scratch_full"),
        (SandboxFailed("/home/secret does not start"), "worker_not_ready"),
        (ComputationCrashed("It died."), "computation_crashed"),
    ],
    ids=["a full disk", "no fork server", "a crash"],
)
def test_every_code_that_a_job_can_end_with_is_explained(error: Exception, code: str) -> None:
    failure = failure_of(error)
    assert failure.code == code
    assert error_of_code(code)().detail
    assert "secret" not in failure.message


def test_the_codes_of_the_protocol_are_explained() -> None:
    for failure in (CANCELLED, WORKER_LOST):
        assert error_of_code(failure.code)().detail
