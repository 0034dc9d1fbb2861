"""Whether a model gives probabilities, in the words of those who ask in other ways than `/predict` does."""

from shared.errors import NoProbabilities
from shared.prediction.predictor import Predictor


def has_probabilities(predictor: Predictor) -> bool:
    """Whether a model gives them."""
    try:
        predictor.check_probabilities()
    except NoProbabilities:
        return False
    return True


def need_probabilities(predictor: Predictor, advice: str) -> None:
    """Make sure that a model gives them.

    Raises:
        NoProbabilities: with the advice, when it does not.
    """
    if not has_probabilities(predictor):
        raise NoProbabilities(f"Version {predictor.version} has no probabilities. {advice}")
