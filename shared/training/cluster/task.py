"""What runs in a worker process of the cluster."""

import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from shared.errors import DaskWorkersDiffer
from shared.estimators.catalogue import Estimator, know_own
from shared.training.cluster.release import USUAL, difference, release_here
from shared.training.fitting import share_of_cores

# The limits of threads, the warnings that are kept and the estimators that are known are those of the whole process.
_ONE_AT_A_TIME = threading.Lock()

# A function with its arguments, as joblib has it.
Call = tuple[Callable[..., Any], Sequence[Any], Mapping[str, Any]]


@dataclass(frozen=True)
class Surroundings:
    """What a task must find where it runs, and what it has to know there."""

    release: Mapping[str, str]
    own: tuple[Estimator, ...] = ()

    @classmethod
    def of_job(cls, own: Sequence[Estimator], libraries: Sequence[str]) -> "Surroundings":
        """Those of a job with estimators of own packages, and of libraries beside scikit-learn."""
        return cls(release_here([*USUAL, *libraries, *(str(each.library) for each in own)]), tuple(own))


def differ_there(surroundings: Surroundings) -> str:
    """What is another release in this process than in that which asks, in words; empty where nothing is."""
    return difference(release_here(surroundings.release), surroundings.release)


def run_there(surroundings: Surroundings, function: Callable[..., Any], *given: Any) -> Any:
    """Call the function as a computing process with one core would.

    Raises:
        DaskWorkersDiffer: when this worker computes with something else than whoever sent the task.
    """
    # It may have joined, or may have been replaced, after the others were asked.
    if found := differ_there(surroundings):
        raise DaskWorkersDiffer(f"A worker of the Dask cluster has {found}. {DaskWorkersDiffer.hint}")
    with _ONE_AT_A_TIME, share_of_cores(1):
        know_own(surroundings.own)
        return function(*given)


class Called(NamedTuple):
    """The results of some calls, and what was warned of: it would be lost where nobody looks."""

    results: list[Any]
    warned: list[tuple[type[Warning], str]]


def call_all(calls: Sequence[Call]) -> Called:
    """Make the calls that joblib has put together."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        results = [function(*given, **named) for function, given, named in calls]
    return Called(results, [(each.category, str(each.message)) for each in caught])
