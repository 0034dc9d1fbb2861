"""What runs in the computing process of a job: files in, files out, no database, no store, no secret.

In the folder of a train job: a `Work` and the table; afterwards an `Outcome`, and the model when it went well. Jobs of
other kinds are done by `batch_computation` and `compile_computation`. Importing this module imports all that the
computation needs, and rehearses it, so that the fork server has it ready.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from shared.compiled.file import write_model
from shared.errors import PlatformError
from shared.estimators.catalogue import know_own
from shared.registry import artifact
from shared.tables.loading import read_table
from shared.training.facts import ModelFacts
from shared.training.plan import read_columns
from shared.training.trainer import train
from worker.batch_computation import predict
from worker.compile_computation import compile_stored
from worker.describe_computation import describe_classes
from worker.handover import (
    BATCH_FILE,
    COMPILE_FILE,
    DESCRIBE_FILE,
    FORM_FILE,
    MODEL_FILE,
    TABLE_FILE,
    WORK_FILE,
    ComputationProblem,
    Outcome,
    Work,
)
from worker.rehearsal import rehearse
from worker.telling import Telling

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


def _train(folder: Path, telling: Telling) -> ModelFacts:
    work = Work.model_validate_json((folder / WORK_FILE).read_bytes())
    show, say = telling.show, telling.say
    show("reading", 5)
    know_own(work.own)
    spec = work.spec
    only = read_columns(spec, work.columns)
    table = read_table(folder / TABLE_FILE, work.reading, columns=work.columns, only=only)
    say(f"read {len(table):,} rows × {table.shape[1]:,} columns")  # noqa: RUF001 - the sign of multiplication is meant
    trained = train(
        spec,
        table,
        work.columns,
        findings=work.findings,
        threads=work.threads,
        seconds=work.seconds,
        folds=work.folds,
        on_step=show,
        say=say,
    )
    show("storing", 95)
    artifact.dump(trained.model, folder / MODEL_FILE)
    if trained.compiled is not None:
        write_model(trained.compiled, folder / FORM_FILE)
    return trained.facts


# By the file that hands the work over.
_COMPUTATIONS: Final[dict[str, Callable[[Path, Telling], BaseModel]]] = {
    WORK_FILE: _train,
    BATCH_FILE: predict,
    COMPILE_FILE: compile_stored,
    DESCRIBE_FILE: describe_classes,
}
