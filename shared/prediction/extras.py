"""What is wanted of each row, beside its label or number."""

from collections.abc import Collection
from typing import Literal, NamedTuple, Self

from shared.estimators.signature import Signature

# The words of `return` in requests.
Returned = Literal["label", "probability", "interval"]


class Extras(NamedTuple):
    """The probability of each class, and the interval that holds the truth for a promised share of rows."""

    probabilities: bool = False
    intervals: bool = False

    @classmethod
    def named_in(cls, returned: Collection[Returned]) -> Self:
        """What the words of a request name, in any order."""
        return cls("probability" in returned, "interval" in returned)

    def takes_probabilities(self, signature: Signature) -> bool:
        """Whether the model has to compute probabilities, be they answered or only what a set of labels is made of."""
        return self.probabilities or (self.intervals and signature.task == "classification")

    def share_columns(self, signature: Signature) -> list[str]:
        """The names of the columns that a table has for probabilities, if they are wanted."""
        return [f"probability_{label}" for label in signature.classes or []] if self.probabilities else []

    def interval_columns(self, signature: Signature) -> list[str]:
        """Those for intervals, if they are wanted."""
        if not self.intervals:
            return []
        return ["interval_low", "interval_high"] if signature.task == "regression" else ["interval"]

    def columns(self, signature: Signature) -> list[str]:
        """All of them, as they follow the prediction."""
        return [*self.share_columns(signature), *self.interval_columns(signature)]
