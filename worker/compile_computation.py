"""What runs in the computing process of a compile job.

In the folder: a `CompileWork`, the table and the model; afterwards the `CompileFacts`, and the compiled form if
there is one.
"""

from pathlib import Path

import pandas as pd

from shared.compiled.file import write_model
from shared.estimators.catalogue import know_own
from shared.registry import artifact
from shared.tables.loading import read_table
from shared.training.batches.training import rows_kept_back
from shared.training.compiling import compile_fitted, kept_back
from shared.training.fitting import share_of_cores
from shared.training.plan import read_columns
from worker.handover import (
    COMPILE_FILE,
    FORM_FILE,
    MODEL_FILE,
    TABLE_FILE,
    CompileFacts,
    CompileWork,
)
from worker.telling import Telling


def compile_stored(folder: Path, telling: Telling) -> CompileFacts:
    """Compile as the `CompileWork` says."""
    work = CompileWork.model_validate_json((folder / COMPILE_FILE).read_bytes())
    with share_of_cores(work.threads):
        return _compile(work, folder, telling)


def _compile(work: CompileWork, folder: Path, telling: Telling) -> CompileFacts:
    telling.show("reading", 10)
    know_own(work.own)
    rows = _rows(work, folder / TABLE_FILE)
    model = artifact.load_fetched(
        folder / MODEL_FILE, version=work.version, sha256=work.model_sha256, environment=work.environment
    )
    telling.show("compiling", 30)
    compiled, compilation = compile_fitted(model, work.signature, rows)
    telling.say(compilation.detail)
    if compiled is None:
        return CompileFacts(compilation=compilation)
    write_model(compiled, folder / FORM_FILE)
    return CompileFacts(compilation=compilation, memory_bytes=compiled.memory_bytes)


def _rows(work: CompileWork, file: Path) -> pd.DataFrame:
    """The rows that the training kept back, on which the form is compared."""
    if work.spec.batches is not None:
        return rows_kept_back(work.spec, file, work.reading, work.columns, work.signature)
    only = read_columns(work.spec, work.columns)
    table = read_table(file, work.reading, columns=work.columns, only=only)
    return kept_back(work.signature, work.spec, table, work.columns)
