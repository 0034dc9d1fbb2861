"""Rows that come again, with the same target or another one: told from a digest of each row."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Digests = NDArray[np.uint64]

# Of longer tables these are compared.
MOST_ROWS = 1_000_000
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_GAP = np.uint64(0x5851F42D4C957F2D)


class Repeats(NamedTuple):
    """How many rows were compared, are the same as one before, or have another target than rows that are like them."""

    compared: int
    same: int
    different: int


class RepeatedRows:
    """Takes the chunks of a table."""

    def __init__(self, target: str, inputs: list[str]) -> None:
        self._target, self._inputs = target, inputs
        self._rows = 0
        self._digests: list[Digests] = []
        self._targets: list[Digests] = []

    def add(self, batch: pa.RecordBatch) -> None:
        """Take the next rows; those beyond a million are left out."""
        batch = batch.slice(0, MOST_ROWS - self._rows)
        if not batch.num_rows or not self._inputs:
            return
        self._rows += batch.num_rows
        digest = np.zeros(batch.num_rows, dtype=np.uint64)
        for name in self._inputs:
            digest = (digest ^ (digest >> np.uint64(29))) * _FACTOR + _digests(batch.column(name))
        self._digests.append(digest)
        self._targets.append(_digests(batch.column(self._target)))

    def count(self) -> Repeats:
        """What was found."""
        if not self._rows:
            return Repeats(0, 0, 0)
        digests, targets = np.concatenate(self._digests), np.concatenate(self._targets)
        _, place, counts = np.unique(digests, return_inverse=True, return_counts=True)
        whole = (digests ^ (digests >> np.uint64(29))) * _FACTOR + targets
        _, first = np.unique(whole, return_index=True)
        # Of each group of like rows, how many different targets it has.
        variants = np.bincount(place[first], minlength=len(counts))
        return Repeats(self._rows, self._rows - len(first), int(counts[variants > 1].sum()))


def _digests(values: pa.Array) -> Digests:
    """A number of 64 bits for each value, the same for the same value; gaps have one, too."""
    if pa.types.is_string(values.type):
        encoded = values.dictionary_encode()
        # Python's own hash is as long and keyed, so that nobody can make two texts alike.
        words = [hash(word) & 0xFFFFFFFFFFFFFFFF for word in encoded.dictionary.to_pylist()]
        known: Digests = np.array([*words, _GAP], dtype=np.uint64)
        chosen: Digests = known[pc.fill_null(encoded.indices, len(words)).to_numpy()]
        return chosen
    if pa.types.is_floating(values.type):
        # Adding 0 makes 0 of -0.
        bits = (pc.fill_null(values, 0.0).to_numpy() + 0.0).view(np.uint64)
    else:
        whole = values.cast(pa.int8()) if pa.types.is_boolean(values.type) else values
        bits = pc.fill_null(whole.cast(pa.int64()), 0).to_numpy().astype(np.int64).view(np.uint64)
    mixed = (bits ^ (bits >> np.uint64(32))) * _FACTOR
    found: Digests = np.where(values.is_null().to_numpy(zero_copy_only=False), _GAP, mixed ^ (mixed >> np.uint64(31)))
    return found
