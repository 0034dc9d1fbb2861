"""A whole batch prediction: a file of rows in, a file of predictions out, in bounded memory."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from shared.errors import InvalidTable
from shared.estimators.signature import Signature
from shared.prediction.batch_output import RowsDone, open_output
from shared.prediction.batch_rows import RowPredictor
from shared.prediction.batch_spec import BatchSpec, columns_of_inputs, no_probabilities
from shared.prediction.computing import Computes, FittedModel
from shared.prediction.intervals import check_intervals
from shared.tables.cells import cells_of
from shared.tables.columns import Column
from shared.tables.reading import Reading
from shared.tables.row_chunks import RowChunk, row_chunks, values_as_kind
from shared.tables.values import ARROW
from shared.training.frame import forget_names
from shared.training.parts import parts_of

# Cells that are in memory as objects at a time.
_CELLS = 100_000
_MOST_ROWS = 10_000


class BatchDone(NamedTuple):
    """How many rows there were, how many of them could not be predicted, and what is to be said of the others."""

    rows: int
    errors: int
    warnings: list[str]


def predict_table(
    table: Path,
    output: Path,
    *,
    spec: BatchSpec,
    model: Computes,
    reading: Reading,
    columns: Sequence[Column],
    on_rows: Callable[[int], None],
) -> BatchDone:
    """Predict for all rows of a table and write the output; `on_rows` hears how many rows are done.

    Raises:
        NoProbabilities, NoIntervals: when they are asked of a model that has none.
        InvalidTable: when the file is not the one that was checked, or has no row.
    """
    signature, predictor = model.signature, RowPredictor(model, spec.wanted)
    if spec.wanted.probabilities and not model.gives_probabilities:
        raise no_probabilities(spec.version, f"'{model.name}' gives labels only")
    if spec.wanted.intervals:
        check_intervals(signature, version=spec.version, gives_probabilities=model.gives_probabilities)
    used = columns_of_inputs(signature, [column.name for column in columns])
    known = {column.name: column for column in columns}
    convert = spec.format == "parquet" and reading.typed
    kinds = [ARROW[cells_of(known[name], reading).kind] if convert else pa.string() for name in spec.keep]
    rows = errors = 0
    at_once = max(1, min(_MOST_ROWS, _CELLS // (len(used) + len(spec.keep) + 1)))
    with closing(open_output(output, spec, signature, kinds)) as file:
        for chunk in row_chunks(table, reading, columns, wanted=list(used.values()), kept=spec.keep, rows=at_once):
            values = {name: chunk.values[at] for name, at in used.items()}
            outcomes = predictor.predict(values, chunk.rows, first=rows + 1)
            file.add(RowsDone(rows + 1, _kept(chunk, spec, known, reading, convert=convert), outcomes))
            rows += chunk.rows
            errors += len(outcomes.errors)
            on_rows(rows)
    if not rows:
        raise InvalidTable("The file does not hold what was found in it when it was checked.")
    return BatchDone(rows, errors, predictor.warnings.sentences())


def fitted_for_batches(model: Any, signature: Signature) -> FittedModel:
    """A model of scikit-learn that predicts many rows, and the same for them in every run."""
    # The sums of threads come in any order, and so would the last digits of a prediction.
    for part in parts_of(model):
        if "n_jobs" in vars(part):
            part.n_jobs = 1
    return FittedModel(forget_names(model) if signature.numeric else model, signature)


def _kept(
    chunk: RowChunk, spec: BatchSpec, known: Mapping[str, Column], reading: Reading, *, convert: bool
) -> list[pa.Array]:
    cells = [chunk.cells[name] for name in spec.keep]
    if not convert:
        return cells
    return [values_as_kind(each, known[name], reading) for name, each in zip(spec.keep, cells, strict=True)]
