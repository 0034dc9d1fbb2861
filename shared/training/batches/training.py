"""Training in batches as a function of a specification and a file: only some rows of the table are in memory."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from shared.errors import InvalidSplit
from shared.estimators.signature import Signature
from shared.processes import take_memory_from_one_place
from shared.tables.columns import Column
from shared.tables.findings import Finding
from shared.tables.reading import Reading
from shared.training import narration
from shared.training.batches.drawing import KeptBack, StoredRows, drawn_rows
from shared.training.batches.fitting import fit_in_batches
from shared.training.batches.preparing import prepare_batches
from shared.training.compiling import named_inputs
from shared.training.fitting import share_of_cores
from shared.training.model_fit import Fitting
from shared.training.narration import Say
from shared.training.plan import RECIPE
from shared.training.preparing import Prepared
from shared.training.spec import TrainingSpec
from shared.training.steps import PREPARING, OnStep
from shared.training.time_left import TimeLeft
from shared.training.trainer import Trained, Training


def train_in_batches(
    spec: TrainingSpec,
    file: StoredRows,
    *,
    findings: Sequence[Finding] = (),
    folder: Path,
    threads: int,
    seconds: float = math.inf,
    on_step: OnStep,
    say: Say = lambda _line: None,
) -> Trained:
    """As `trainer.train`, for a table that may be larger than the memory; rows wait in files of the folder meanwhile.

    Raises:
        PlatformError: what `trainer.train` raises.
    """
    time_left = TimeLeft(seconds)
    with share_of_cores(threads), prepared(spec, file, findings, folder, on_step) as (ready, fitting):
        narration.of_preparation(say, ready.plan, ready.split, found=ready.found, without_target=ready.without_target)
        return Training(ready, time_left, on_step, say, fitting).run(0)


@contextmanager
def prepared(
    spec: TrainingSpec,
    file: StoredRows,
    findings: Sequence[Finding],
    folder: Path,
    on_step: OnStep,
    *,
    recipe: int = RECIPE,
) -> Iterator[tuple[Prepared, Fitting]]:
    """What is to be fitted and measured, and how it is fitted; within the block only.

    Raises:
        PlatformError: what `trainer.train` raises.
    """
    take_memory_from_one_place()
    on_step("preparing", PREPARING, measured=True)
    with TemporaryDirectory(dir=folder) as scratch:
        ready, dealt = prepare_batches(spec, file, findings, Path(scratch), on_step, recipe=recipe)
        yield ready, partial(fit_in_batches, dealt)


def rows_kept_back(
    spec: TrainingSpec, path: Path, reading: Reading, columns: Sequence[Column], signature: Signature
) -> pd.DataFrame:
    """The inputs of the rows that a training in batches measured on, as the model takes them.

    Raises:
        InvalidSplit: when there is none.
    """
    used = {column.name for column in signature.inputs if column.used} | {spec.target_column}
    wanted = [column for column in columns if column.name in used]
    kept_back = KeptBack(spec)
    for drawn in drawn_rows(path, reading, wanted, spec):
        kept_back.add(drawn.kept_back)
    if not kept_back.count:
        raise InvalidSplit("No row of the table was kept back to measure on.")
    return named_inputs(kept_back.frame(wanted), signature)
