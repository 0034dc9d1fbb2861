"""What runs in the computing process of a job: files in, files out, no database, no store, no secret.

In the folder of a train job: a `Work` and the table; afterwards an `Outcome`, and the models when it went well. What is
done for each kind is in the files named after it. Importing this module
imports all that the computation needs, and rehearses it, so that the fork server has it ready.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from shared.errors import PlatformError
from worker.batch_computation import predict
from worker.compile_computation import compile_stored
from worker.describe_computation import describe_classes
from worker.handover import (
    BATCH_FILE,
    COMPILE_FILE,
    DESCRIBE_FILE,
    REPRODUCE_FILE,
    WORK_FILE,
    ComputationProblem,
    Outcome,
)
from worker.rehearsal import rehearse
from worker.reproduce_computation import reproduce
from worker.telling import Telling
from worker.train_computation import train

rehearse()


def main(folder: Path) -> None:
    """Do the work that is in the folder and write down what came of it."""
    telling = Telling(folder)
    compute = next(computation for file, computation in _COMPUTATIONS.items() if (folder / file).exists())
    outcome: Outcome[BaseModel]
    try:
        outcome = Outcome(facts=compute(folder, telling))
    except PlatformError as error:
        outcome = Outcome(problem=ComputationProblem(code=error.code, detail=error.detail))
    telling.conclude(outcome)


# By the file that hands the work over.
_COMPUTATIONS: Final[dict[str, Callable[[Path, Telling], BaseModel]]] = {
    WORK_FILE: train,
    BATCH_FILE: predict,
    COMPILE_FILE: compile_stored,
    DESCRIBE_FILE: describe_classes,
    REPRODUCE_FILE: reproduce,
}
