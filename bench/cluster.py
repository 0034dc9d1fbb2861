"""What a Dask cluster gains for one search of 200 fits, and what workers of the platform gain for four of 50 fits each.

All jobs have one core, and so has each worker of the cluster. Each job fits and validates its winner as well, so that
four of them do more than one.
"""

import argparse
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.measuring import print_table
from bench.sites import sites
from bench.workers import Trainings, running, told
from shared.settings import Settings
from tests.support.dask_cluster import dask_cluster
from tests.support.waiting import eventually

BOOSTING = {"module": "ensemble", "class": "GradientBoostingClassifier", "params": {"n_estimators": 40}}
TREE = {"module": "tree", "class": "DecisionTreeClassifier", "params": {}}
MODELS = {"GradientBoostingClassifier": BOOSTING, "DecisionTreeClassifier": TREE}
# Beside the parameters of the request, so many candidates on five folds make 200 fits, or 50.
DEPTHS, LEAVES = [2, 3, 4], list(range(1, 14))
COUNTS = (1, 2, 4)
ONE, FOUR = "one search of 200 fits", "four searches of 50 fits"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with sites() as found, tempfile.TemporaryDirectory() as folder:
        settings = found.sqlite.model_copy(update={"worker_slots": 1, "folds": 5})
        measured = _Measured(settings, Path(folder))
        for _ in range(arguments.rounds):
            measured.in_turns()
    for (name, what), rows in measured.seconds.items():
        print_table(
            f"{name}, {what}; {os.cpu_count()} cores, {arguments.rounds} rounds",
            [["where", "median", "least and most", "times as fast"], *told(rows, next(iter(rows.values())))],
        )


@dataclass
class _Measured:
    settings: Settings
    folder: Path
    # By the estimator and the jobs, and by where it was fitted.
    seconds: dict[tuple[str, str], dict[str, list[float]]] = field(default_factory=dict)

    def in_turns(self) -> None:
        """Every way once."""
        with trainings(self.settings) as queue, running(queue, 1):
            self._search(queue, "without a cluster")
        for count in COUNTS:
            with self._cluster(count) as settings, trainings(settings) as queue, running(queue, 1):
                self._search(queue, f"Dask workers: {count}")
        for count in COUNTS:
            with trainings(self.settings) as queue, running(queue, count):
                for name, model in MODELS.items():
                    seconds = queue.seconds([model] * 4, cpus=1, **asked(3))
                    self._note((name, FOUR), f"workers of the platform: {count}", seconds)

    def _search(self, queue: Trainings, where: str) -> None:
        for name, model in MODELS.items():
            self._note((name, ONE), where, queue.seconds([model], cpus=1, **asked(len(LEAVES))))

    def _note(self, what: tuple[str, str], where: str, seconds: float) -> None:
        self.seconds.setdefault(what, {}).setdefault(where, []).append(seconds)

    @contextmanager
    def _cluster(self, count: int) -> Iterator[Settings]:
        with (
            tempfile.TemporaryDirectory(dir=self.folder) as folder,
            dask_cluster(Path(folder), workers=count) as cluster,
        ):
            logs = [Path(folder) / f"worker-{number}.log" for number in range(count)]
            eventually(lambda: all("Registered to" in log.read_text() for log in logs))
            yield self.settings.model_copy(update={"dask_scheduler": cluster.address})


@contextmanager
def trainings(settings: Settings) -> Iterator[Trainings]:
    """Accepts trainings on an example, and gives its connections back."""
    queue = Trainings(settings)
    try:
        yield queue
    finally:
        queue.close()


def asked(leaves: int) -> dict[str, Any]:
    """A search on five folds of 13 times 3 candidates, or 3 times 3, beside the parameters of the request."""
    space = {"max_depth": DEPTHS, "min_samples_leaf": LEAVES[:leaves]}
    trials = len(DEPTHS) * leaves
    search = {"method": "grid", "space": space, "trials": trials, "metric": "accuracy", "time_limit": None}
    return {"search": search, "split": {"method": "random", "folds": 5}}


if __name__ == "__main__":
    main()
