"""What a model of scikit-learn is given of the input of a request."""

from typing import Any

from shared.estimators.signature import Signature
from shared.prediction.inputs import take_input
from shared.training.frame import model_input


def read_input(signature: Signature, **asked: Any) -> Any:
    """As a fitted model takes it: an array for a numeric one, else a DataFrame."""
    rows = take_input(signature, **asked)
    return model_input(rows, signature.used_inputs, numeric=signature.numeric) if isinstance(rows, dict) else rows
