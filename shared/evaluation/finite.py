"""Leaves out of an assessment what no document can hold: numbers that are not finite."""

import math
from typing import Any

from pydantic import BaseModel

from shared.evaluation.assessment import Assessment

# What a model says of a row may be any number: as a cell it is told as missing.
_CELLS = {"worst_rows", "notes"}


def only_finite(found: Assessment) -> Assessment:
    """The same without the parts in which a sum or a square was too large for a float; a note names them."""
    kept = {name: _kept(getattr(found, name)) for name in Assessment.model_fields if name not in _CELLS}
    lacking = [name for name, value in kept.items() if value != getattr(found, name)]
    if not lacking:
        return found
    note = f"Numbers that are too large are left out of {', '.join(lacking)}."
    return found.model_copy(update={**kept, "notes": [*found.notes, note]})


def _kept(part: Any) -> Any:
    if isinstance(part, list):
        return [each for each in part if _is_finite(each)]
    if isinstance(part, dict):
        return {name: each for name, each in part.items() if _is_finite(each)}
    return part if _is_finite(part) else None


def _is_finite(value: Any) -> bool:
    if isinstance(value, BaseModel):
        return all(_is_finite(getattr(value, name)) for name in type(value).model_fields)
    if isinstance(value, dict):
        return all(map(_is_finite, value.values()))
    if isinstance(value, list | tuple):
        return all(map(_is_finite, value))
    return not isinstance(value, float) or math.isfinite(value)
