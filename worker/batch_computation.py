"""What runs in the computing process of a predict job.

In the folder: a `BatchWork`, the table, and the model or its compiled form; afterwards the `BatchFacts` and the output.
"""

from pathlib import Path

from shared.compiled.file import read_model
from shared.prediction.batch import fitted_for_batches, predict_table
from shared.prediction.computing import Computes, ModelInForm
from shared.registry import artifact
from shared.training.fitting import share_of_cores
from worker.handover import (
    BATCH_FILE,
    FORM_FILE,
    MODEL_FILE,
    OUTPUT_FILE,
    TABLE_FILE,
    BatchFacts,
    BatchWork,
)
from worker.telling import Telling

# The percentages between which the rows are predicted.
_FIRST, _LAST = 10, 90
PREDICTING = "predicting"


def predict(folder: Path, telling: Telling) -> BatchFacts:
    """Predict as the `BatchWork` says."""
    work = BatchWork.model_validate_json((folder / BATCH_FILE).read_bytes())
    with share_of_cores(work.threads):
        return _predict(work, folder, telling)


def _predict(work: BatchWork, folder: Path, telling: Telling) -> BatchFacts:
    def on_rows(done: int) -> None:
        share = min(1.0, done / max(work.rows, 1))
        telling.show(PREDICTING, _FIRST + int(share * (_LAST - _FIRST)), measured=True)

    telling.show("reading", 5)
    model = _load(work, folder)
    telling.show(PREDICTING, _FIRST, measured=True)
    done = predict_table(
        folder / TABLE_FILE,
        folder / OUTPUT_FILE,
        spec=work.spec,
        model=model,
        reading=work.reading,
        columns=work.columns,
        on_rows=on_rows,
    )
    telling.say(f"predicted {done.rows - done.errors:,} of {done.rows:,} rows")
    for warning in done.warnings:
        telling.say(f"warning: {warning}")
    return BatchFacts(**done._asdict())


def _load(work: BatchWork, folder: Path) -> Computes:
    """What answers requests: the compiled form where there is one, else the artifact."""
    if (folder / FORM_FILE).exists():
        with (folder / FORM_FILE).open("rb") as file:
            return ModelInForm(read_model(file), work.signature, work.estimator)
    model = artifact.load_fetched(
        folder / MODEL_FILE, version=work.spec.version, sha256=work.model_sha256, environment=work.environment
    )
    return fitted_for_batches(model, work.signature)
