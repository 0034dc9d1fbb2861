"""What a compiled form is made of: parts of numbers, texts and plain arrays, so that they can be written as data."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any, NamedTuple, get_type_hints

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class FormDamaged(Exception):
    """The contents of a form are not what this release writes, or do not fit together."""


class ArrayType(NamedTuple):
    """The type and the number of dimensions of an array that a part holds."""

    dtype: Any
    dimensions: int


Vector = Annotated[NDArray[np.float64], ArrayType(np.float64, 1)]
Table = Annotated[NDArray[np.float64], ArrayType(np.float64, 2)]
Integers = Annotated[NDArray[np.int64], ArrayType(np.int64, 1)]
Flags = Annotated[NDArray[np.uint8], ArrayType(np.uint8, 1)]


@dataclass(frozen=True)
class CompiledPart:
    """One part, of arrays in C order and of plain values. Its name among data is the name of its class."""

    def check(self) -> None:
        """See that no index leads out of an array.

        Raises:
            FormDamaged: when one does.
        """

    @property
    def memory_bytes(self) -> int:
        """What the arrays take in memory."""
        values = [getattr(self, each.name) for each in fields(self)]
        return sum(value.nbytes for value in values if isinstance(value, np.ndarray))


class Score(CompiledPart, ABC):
    """What an estimator computes of features before labels or probabilities are made of it."""

    @abstractmethod
    def values(self, features: Floats) -> Floats:
        """One row of outputs, or a single number, for each row of `features`, which stay as they are."""


def write_part(part: CompiledPart, name: str, arrays: dict[str, NDArray[Any]]) -> dict[str, Any]:
    """The kind and the plain values of a part; its arrays go into `arrays`, under names that begin with `name`."""
    written: dict[str, Any] = {"kind": type(part).__name__}
    for each in fields(part):
        value = getattr(part, each.name)
        if isinstance(value, np.ndarray):
            arrays[f"{name}.{each.name}"] = value
        else:
            written[each.name] = value
    return written


def read_part(
    written: dict[str, Any], name: str, arrays: dict[str, NDArray[Any]], *, kinds: Mapping[str, type[CompiledPart]]
) -> CompiledPart:
    """The part that `write_part` has written, one of the kinds by their names.

    Raises:
        FormDamaged: when it cannot have written this.
    """
    kind = kinds.get(written.get("kind", ""))
    if kind is None:
        raise FormDamaged(f"there is no part of the kind {written.get('kind')!r}")
    found: dict[str, Any] = {}
    hints = get_type_hints(kind, include_extras=True)
    for each in fields(kind):
        wanted = next(iter(getattr(hints[each.name], "__metadata__", ())), None)
        if wanted is not None:
            found[each.name] = _array(arrays.get(f"{name}.{each.name}"), wanted, f"{name}.{each.name}")
        elif each.name in written:
            found[each.name] = written[each.name]
        else:
            raise FormDamaged(f"{name} lacks {each.name}")
    part = kind(**found)
    part.check()
    return part


def _array(found: NDArray[Any] | None, wanted: ArrayType, name: str) -> NDArray[Any]:
    if found is None or found.dtype != np.dtype(wanted.dtype) or found.ndim != wanted.dimensions:
        raise FormDamaged(f"the array {name} is missing or of another type")
    # The kernels take arrays in C order only.
    return np.ascontiguousarray(found)
