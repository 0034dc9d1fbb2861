"""The checker: all invariants over the history of a run, after it was healed and drained."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from tests.support.chaos.cluster import Cluster
from tests.support.chaos.history import History, read_history
from tests.support.chaos.invariants import answers, jobs, registry
from tests.support.chaos.journal import Journal

INVARIANTS: dict[str, Callable[[History], Iterator[str]]] = {
    "I1": jobs.every_accepted_job_ends,
    "I2": registry.one_effect_for_each_success,
    "I3": registry.versions_rise,
    "I4": registry.rows_have_their_objects,
    "I5": jobs.events_are_a_legal_path,
    "I6": jobs.attempts_never_overlap,
    "I7": jobs.cancelled_means_no_effect,
    "I8": registry.one_active_deployment,
    "I9": answers.predictions_name_a_current_version,
    "I10": jobs.one_key_is_one_job,
    "I11": registry.nothing_is_left_over,
    "I12": jobs.crashes_are_counted,
    "I13": answers.errors_give_nothing_away,
    "I14": registry.database_is_whole,
}


class Violation(NamedTuple):
    """An invariant that does not hold, and where that shows."""

    invariant: str
    said: str


def check(journal: Journal, cluster: Cluster, *, calm: bool = False) -> list[Violation]:
    """What does not hold of a run; heal and drain the cluster before. In a `calm` one nobody died or stood still."""
    history = history_of(journal, cluster)
    history.calm = calm
    return violations(history)


def history_of(journal: Journal, cluster: Cluster, *, collected: bool = False) -> History:
    """All that is left of a run; `collected` says that what no row names was to be deleted before (`tidying`)."""
    history = read_history(journal, cluster.site.settings, cluster.site.database, cluster.site.store)
    history.collected = collected
    return history


def violations(history: History) -> list[Violation]:
    """What does not hold of a history."""
    return [Violation(name, said) for name, invariant in INVARIANTS.items() for said in invariant(history)]
