"""Makes the steps that scale numbers twice and bend them into arrays."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, RobustScaler

from shared.compiled.parts import Floats
from shared.compiled.recipe import BentRecipe, CyclicRecipe

_KINDS = [MinMaxScaler, RobustScaler, FunctionTransformer]


class Bend(NamedTuple):
    """What becomes of features that are numbers: scaled twice, they are the height of a line through points."""

    features: NDArray[np.int64]
    factors: Floats
    offsets: Floats
    middles: Floats
    units: Floats
    places: Floats
    heights: Floats


def parted(steps: Sequence[Any], *, first: int) -> tuple[Sequence[Any], list[Bend]]:
    """The steps before those that bend numbers, and what these do to the features from the `first` one on."""
    if [type(step) for step in steps[-3:]] != _KINDS:
        return steps, []
    bounds, middle, line = steps[-3:]
    drawn = line.func.keywords
    features = np.arange(len(bounds.scale_), dtype=np.int64) + first
    scaling = (bounds.scale_, bounds.min_, middle.center_, middle.scale_)
    return steps[:-3], [Bend(features, *scaling, np.array(drawn["xp"]), np.array(drawn["fp"]))]


def with_bends(recipe: CyclicRecipe, bends: Sequence[Bend]) -> BentRecipe:
    """The recipe with all that is bent, by the line of the first one: there is only one."""
    parts: dict[str, Any] = {each.name: getattr(recipe, each.name) for each in fields(recipe)}
    return BentRecipe(
        **parts,
        bent=np.concatenate([each.features for each in bends]),
        factors=np.concatenate([each.factors for each in bends]),
        offsets=np.concatenate([each.offsets for each in bends]),
        middles=np.concatenate([each.middles for each in bends]),
        units=np.concatenate([each.units for each in bends]),
        bend_places=bends[0].places,
        bend_heights=bends[0].heights,
    )
