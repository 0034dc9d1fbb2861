"""Batch predictions without a platform: a table is read, learnt from, and predicted for."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet

from shared.prediction.batch import BatchDone, predict_table
from shared.prediction.batch_spec import BatchInput, BatchSpec
from shared.prediction.computing import Computes, FittedModel
from shared.prediction.predictor import Predictor
from shared.tables.inspected import Inspection, TableLimits
from shared.tables.inspection import inspect
from shared.tables.loading import plain, read_table
from shared.tables.row_chunks import row_chunks
from shared.training.frame import forget_names
from shared.training.trainer import train
from tests.support.training_tables import spec_of

MIXED = "id,age,city,member,since,score,kind\n" + "".join(
    f"{at:03},{'' if at % 7 == 0 else 20 + at % 50},{('Oslo', 'Lyon', 'Ulm', '')[at % 4]},"
    f"{('true', 'false')[at % 2]},2024-{1 + at % 12:02}-{1 + at % 28:02},{at % 13 / 4},{('good', 'bad')[at % 4 // 3]}\n"
    for at in range(120)
)


@dataclass(frozen=True)
class Learnt:
    """A model that was trained on a file, ready to answer."""

    fitted: FittedModel
    found: Inspection

    @property
    def predictor(self) -> Predictor:
        """The model as requests ask it."""
        return Predictor(1, self.fitted, 0)


@dataclass(frozen=True)
class Outputs:
    """What a batch prediction told, and its file."""

    done: BatchDone
    path: Path

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of the file by column name."""
        if self.path.suffix == ".csv":
            return list(csv.DictReader(io.StringIO(self.path.read_text(), newline="")))
        found: list[dict[str, Any]] = pyarrow.parquet.read_table(self.path).to_pylist()
        return found


def learn(path: Path, estimator: str, *, target: str, **fields: Any) -> Learnt:
    """Train on all columns of a file; a forest of a few trees shows the same."""
    found = inspect(path, TableLimits())
    table = read_table(path, found.reading, columns=found.columns)
    params = {"n_estimators": 10} if "Forest" in estimator else {}
    spec = spec_of(estimator, params=params, target_column=target, **fields)
    result = train(spec, table, found.columns, threads=1, folds=0, on_step=lambda _step, _percent, **_measured: None)
    signature = result.facts.signature
    model = forget_names(result.model) if signature.numeric else result.model
    return Learnt(FittedModel(model, signature), found)


def records_of(path: Path, found: Inspection, names: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of a file as a client would send them: the values that were read, as JSON."""
    known = [column.name for column in found.columns if column.name in names]
    records: list[dict[str, Any]] = []
    for chunk in row_chunks(path, found.reading, found.columns, wanted=known, kept=[], rows=1_000):
        columns = [[plain(value) for value in chunk.values[name].to_pylist()] for name in known]
        records += [dict(zip(known, row, strict=True)) for row in zip(*columns, strict=True)]
    return records


def predict_file(learnt: Learnt, path: Path, folder: Path, **fields: Any) -> Outputs:
    """A batch prediction for the rows of a file."""
    return predict_by(learnt.fitted, path, folder, **fields)


def predict_by(model: Computes, path: Path, folder: Path, **fields: Any) -> Outputs:
    """The same by what computes the predictions."""
    found = inspect(path, TableLimits())
    chosen: dict[str, Any] = {"keep": [], "format": "csv", "return": ["label"], **fields}
    spec = BatchSpec.stored(
        {
            "dataset_name": "a_table",
            "environment": "dev",
            "version": 1,
            "target": model.signature.target,
            "input": BatchInput(dataset_name="rows", dataset_version=1).model_dump(),
            **chosen,
        }
    )
    output = folder / f"output.{spec.format}"
    done = predict_table(
        path,
        output,
        spec=spec,
        model=model,
        reading=found.reading,
        columns=found.columns,
        on_rows=lambda _rows: None,
    )
    return Outputs(done, output)
