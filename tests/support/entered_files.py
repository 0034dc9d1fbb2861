"""Counts the files of the product that a request enters: `python -m tests.support.entered_files`.

Whoever wants to know what happens to a request reads about that many files. Counted are those of which a function is
called while the request is under way, in the API, in the worker and in the computing process; what runs by itself
beside it, such as the watcher of the cache, is left out by a count of the same time without a request. The start of the
processes is not counted either.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from uuid import UUID

import httpx2

from shared.database_access import open_database
from shared.migration import upgrade
from shared.sandbox import client
from shared.settings import Settings
from tests.support.api_server import serving
from tests.support.stack import NO_REDIS
from worker import computation, runtime
from worker.execution import execute
from worker.runtime import Runtime

ROOT = Path(__file__).parents[2]
PRODUCT = tuple(f"{ROOT / package}{os.sep}" for package in ("api", "worker", "shared"))
FILE_OF_COMPUTATION = "entered.json"

TRAIN = {
    "dataset_name": "iris",
    "use_example": True,
    "model": {"module": "ensemble", "class": "RandomForestClassifier", "params": {"n_estimators": 5}},
    "target_column": "target",
}
PREDICT = {"dataset_name": "iris", "environment": "dev", "input_data": {"features": [[5.1, 3.5, 1.4, 0.2]]}}


class Entered:
    """Notes files while it is switched on; set as the profile function of each thread."""

    def __init__(self) -> None:
        self.files: set[str] | None = None

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        files = self.files
        if files is not None and event == "call" and frame.f_code.co_filename.startswith(PRODUCT):
            files.add(os.path.relpath(frame.f_code.co_filename, ROOT))

    @contextmanager
    def noting(self) -> Iterator[set[str]]:
        """The files that are entered inside the block."""
        self.files = noted = set[str]()
        try:
            yield noted
        finally:
            self.files = None


ENTERED = Entered()


def computation_with_notes(folder: Path) -> None:
    """The entry of the computing process: notes what it enters in a file beside the job's folder."""
    sys.setprofile(ENTERED)
    with ENTERED.noting() as files:
        computation.main(folder)
    (folder.parent / FILE_OF_COMPUTATION).write_text(json.dumps(sorted(files)))


def count() -> dict[str, set[str]]:
    """The files entered by a train request until its job is committed, until its version is, and by a prediction."""
    threading.setprofile(ENTERED)
    # The fork server does not look for modules where it starts.
    os.environ["PYTHONPATH"] = str(ROOT)
    runtime.COMPUTATION = f"tests.support.entered_files:{computation_with_notes.__name__}"
    with TemporaryDirectory() as folder:
        # Beside the folders of computations, which they may write in alone.
        client.WRITES = (folder,)
        settings = Settings(home=Path(folder), redis_url=NO_REDIS, examples=False)
        _create_database(settings)
        with serving(settings) as (url, _):
            _train(url, settings)
            beside = _beside()
            accepted, computed = _train(url, settings)
            httpx2.post(f"{url}/predict", json=PREDICT, timeout=60).raise_for_status()
            with ENTERED.noting() as predicted:
                httpx2.post(f"{url}/predict", json=PREDICT, timeout=60).raise_for_status()
    return {
        "/train to the job's row": accepted - beside,
        "/train to the model's row": accepted - beside | computed,
        "/predict to its answer, warm": predicted - beside,
    }


def _create_database(settings: Settings) -> None:
    database = open_database(settings)
    upgrade(database)
    database.close()


def _beside() -> set[str]:
    with ENTERED.noting() as files:
        time.sleep(3)
    return files


def _train(url: str, settings: Settings) -> tuple[set[str], set[str]]:
    with ENTERED.noting() as accepted:
        answer = httpx2.post(f"{url}/train", json=TRAIN, timeout=60).raise_for_status()
    job_id = UUID(answer.json()["job_id"])
    worker = Runtime(settings)
    computed: set[str] = set()
    try:
        with ENTERED.noting() as supervised:
            thread = threading.Thread(target=execute, args=(worker, job_id))
            thread.start()
            thread.join()
        computed = supervised | set(json.loads((worker.scratch.folder / FILE_OF_COMPUTATION).read_text()))
    finally:
        worker.close()
    return accepted, computed


def main() -> None:
    """Print the files of each way, and how many they are."""
    for way, files in count().items():
        print(f"{way}: {len(files)} files", *sorted(files), sep="\n  ", flush=True)  # noqa: T201 - it is a command


if __name__ == "__main__":
    main()
