"""Compiled forms of fitted models: in the training, and later for models that were registered without one."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shared.compiled.compilation import Compilation
from shared.compiled.making.form import make_form
from shared.compiled.model import CompiledModel
from shared.estimators.signature import Signature
from shared.tables.columns import Column
from shared.training.frame import named_frame, plain_array
from shared.training.labels import target_values
from shared.training.spec import TrainingSpec
from shared.training.split import deciding, split_rows


def compile_fitted(model: Any, signature: Signature, rows: pd.DataFrame) -> tuple[CompiledModel | None, Compilation]:
    """The compiled form, compared on rows that the fit has not seen; `rows` are as `named_inputs` makes them."""
    # Whoever serves the model gives it such arrays, or tables by name.
    as_taken = _plain_rows if signature.numeric else _named_rows
    return make_form(model, signature, rows, as_taken=as_taken)


def kept_back(signature: Signature, spec: TrainingSpec, table: pd.DataFrame, columns: list[Column]) -> pd.DataFrame:
    """The rows of a table that a training by `spec` kept back, as its model takes them.

    `table` is the one that it was trained on, as `columns` say.
    """
    estimator = spec.model.estimator()
    column = next(column for column in columns if column.name == spec.target_column)
    rows = table[table[column.name].notna()]
    target = target_values(rows[column.name], column, estimator)
    split = split_rows(target, spec, task=estimator.task, by=deciding(rows, spec))
    return named_inputs(rows.iloc[split.test], signature)


def named_inputs(rows: pd.DataFrame, signature: Signature) -> pd.DataFrame:
    """As `frame.model_input`, but always with column names, so that the fitted model keeps them."""
    if signature.numeric:
        names = [column.name for column in signature.inputs if column.used]
        return pd.DataFrame(plain_array(rows, signature.inputs), columns=names)
    return named_frame(rows, signature.inputs)


def _plain_rows(rows: pd.DataFrame) -> NDArray[np.float64]:
    return np.ascontiguousarray(rows.to_numpy(dtype=np.float64))


def _named_rows(rows: pd.DataFrame) -> pd.DataFrame:
    return rows
