"""Makes and checks the compiled model of a training; whatever goes wrong here, the training has its model."""

import warnings
from traceback import format_exception
from typing import Any

import pandas as pd

from shared.compiled.compilation import Compilation
from shared.compiled.making.checking import FormDiffers, Takes, check_model
from shared.compiled.making.making import compile_model
from shared.compiled.making.notion import NotCompilable
from shared.compiled.model import CompiledModel
from shared.estimators.signature import Signature
from shared.logging import get_logger

log = get_logger(__name__)


def make_form(
    model: Any, signature: Signature, rows: pd.DataFrame, *, as_taken: Takes
) -> tuple[CompiledModel | None, Compilation]:
    """The compiled model, if there is one that agrees with the fitted one on `rows` and on made-up ones.

    `rows` are inputs that the fit has not seen; `as_taken` makes of them what the model takes in prediction.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compiled = compile_model(model, signature)
            agreement = check_model(compiled, model, signature, rows, as_taken=as_taken)
            if compiled.threshold is not None and not agreement.bit_for_bit:
                # A row that lies on the threshold would get another label.
                raise FormDiffers("its probabilities are equal up to the last digits only, and a threshold needs all")
    except NotCompilable as reason:
        return None, Compilation(compiled=False, detail=f"No compiled form: {reason}.")
    except FormDiffers as difference:
        log.warning("form_differs", estimator=type(model).__name__, difference=str(difference))
        detail = f"The compiled form is not used, because it differs from scikit-learn: {difference}."
        return None, Compilation(compiled=False, detail=detail)
    except Exception as error:  # noqa: BLE001 - the training has its model, whatever goes wrong here
        # An estimator may be fitted in a way that nobody has thought of. It is served by scikit-learn then.
        # Not by `log.exception`: in a computing process that shows the values of variables, which are the user's.
        log.warning("form_not_made", estimator=type(model).__name__, traceback="".join(format_exception(error)))
        detail = f"No compiled form: making it failed ({type(error).__name__})."
        return None, Compilation(compiled=False, detail=detail)
    compilation = Compilation(
        compiled=True,
        detail=f"Equal to scikit-learn on {agreement.rows:,} rows: {_closeness(agreement.bit_for_bit)}.",
        rows_compared=agreement.rows,
        bit_for_bit=agreement.bit_for_bit,
        worst_difference=agreement.worst,
    )
    return compiled, compilation


def _closeness(bit_for_bit: bool) -> str:
    if bit_for_bit:
        return "labels and numbers to the last bit"
    return "labels the same, numbers up to the last digits"
