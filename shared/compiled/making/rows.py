"""Makes up rows on which a compiled model is most likely to differ: on thresholds, beside them, with gaps."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from shared.compiled.kernels.trees import LEAF
from shared.compiled.making.notion import unseen
from shared.compiled.model import CompiledModel
from shared.compiled.parts import Floats

_MADE_UP = 2_000
# Thresholds per column.
_MOST_THRESHOLDS = 200
_MAGNITUDES = (0.0, -0.0, 1e9, -1e9, 1e-9, -1e-9, 1.0, -1.0, 1e15, 5e-324)


def made_up(table: pd.DataFrame, compiled: CompiledModel, *, gaps: bool, seed: int = 0) -> pd.DataFrame:
    """Rows of the table in which some cells have become special ones; with `gaps` some are missing."""
    rng = np.random.default_rng(seed)
    rows = table.iloc[rng.integers(0, len(table), size=_MADE_UP)].reset_index(drop=True)
    # Ties: the same row again and again, and nothing but zeros.
    rows = pd.concat([rows, rows.iloc[:1], rows.iloc[:1]], ignore_index=True)
    share = rng.random(len(rows)) ** 2
    made: dict[str, NDArray[np.object_] | Floats] = {}
    thresholds = _thresholds(compiled)
    for position, name in enumerate(rows.columns):
        words = compiled.categories[position]
        changed = rng.random(len(rows)) < share
        cells = rows[name].to_numpy(copy=True)
        if words is not None:
            special: Sequence[object] = [*words, unseen(words), *([np.nan] if gaps else [])]
            cells[changed] = rng.choice(np.array(special, dtype=object), size=int(changed.sum()))
        else:
            known = table[name].dropna().to_numpy(dtype=np.float64)
            is_flag = bool(np.isin(known, (0.0, 1.0)).all())
            numbers = _special_numbers(known, thresholds.get(position, np.zeros(0)), rng, is_flag=is_flag)
            if gaps:
                numbers = np.append(numbers, np.full(1 + len(numbers) // 10, np.nan))
            cells[changed] = rng.choice(numbers, size=int(changed.sum()))
        made[name] = cells
    return pd.DataFrame(made)


def _special_numbers(known: Floats, thresholds: Floats, rng: Generator, *, is_flag: bool) -> Floats:
    """Numbers of the column, thresholds, and what is right beside both in double and in single precision."""
    if is_flag:
        # A column of true and false: requests can hold nothing else.
        return np.array([0.0, 1.0])
    seen = rng.choice(known, size=min(len(known), _MOST_THRESHOLDS), replace=False) if len(known) else known
    near = np.concatenate([seen, thresholds, _MAGNITUDES])
    # A tree's threshold is infinite where only gaps go right.
    near = near[np.isfinite(near)]
    single = near.astype(np.float32)
    return np.concatenate(
        [
            near,
            np.nextafter(near, np.inf),
            np.nextafter(near, -np.inf),
            single,
            np.nextafter(single, np.float32(np.inf)),
            np.nextafter(single, np.float32(-np.inf)),
        ]
    )


def _thresholds(compiled: CompiledModel) -> dict[int, Floats]:
    """Some thresholds of each column that trees compare, as numbers of the table."""
    nodes = getattr(compiled.score, "nodes", None)
    if nodes is None:
        return {}
    recipe = compiled.recipe
    found: dict[int, Floats] = {}
    for feature in np.unique(nodes["feature"][nodes["feature"] > LEAF]).tolist():
        limits = np.unique(nodes["threshold"][nodes["feature"] == feature])
        limits = limits[:: 1 + len(limits) // _MOST_THRESHOLDS]
        if recipe is None:
            found[feature] = limits
        elif feature < len(recipe.sources) and not recipe.indicates[feature]:
            found[int(recipe.sources[feature])] = limits * recipe.scales[feature] + recipe.shifts[feature]
    return found
