"""Makes the steps before an estimator into arrays, by asking the fitted steps what they do."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import KBinsDiscretizer, OrdinalEncoder, RobustScaler, StandardScaler

from shared.compiled.making.bends import Bend, parted, with_bends
from shared.compiled.making.notion import NotCompilable, unseen
from shared.compiled.parts import Floats
from shared.compiled.recipe import CompiledRecipe, CyclicRecipe

Words = tuple[Any, ...]


class Numbers(NamedTuple):
    """What becomes of columns of numbers: features that are numbers, or indicators of gaps."""

    sources: NDArray[np.int64]
    indicates: NDArray[np.uint8]
    fills: Floats
    shifts: Floats
    scales: Floats


class Wave(NamedTuple):
    """What becomes of a column of dates: the height of a line through points, where they are in a period."""

    source: int
    fill: float
    period: float
    places: Floats
    heights: Floats


class Table(NamedTuple):
    """What becomes of a column of categories: a line for a gap, one for each category, and one for all others."""

    source: int
    lines: Floats


def recipe_of(steps: Sequence[Any], columns: Sequence[str]) -> tuple[CompiledRecipe | None, dict[str, Words]]:
    """The steps of a pipeline without its last one, over columns in this order; and the categories of each column.

    Raises:
        NotCompilable: when a step is none of those that the platform puts there.
    """
    if not steps:
        return None, {}
    if isinstance(steps[0], ColumnTransformer):
        return _of_columns(steps[0], columns)
    straight, bends = parted(steps, first=0)
    numbers = _numbers(straight, np.arange(len(columns), dtype=np.int64))
    recipe = _compiled(len(columns), numbers, [], [], by_column=_is_by_column(steps, len(columns)))
    return _bent(recipe, bends), {}


def _of_columns(transformer: ColumnTransformer, columns: Sequence[str]) -> tuple[CompiledRecipe, dict[str, Words]]:
    place = {name: position for position, name in enumerate(columns)}
    numbers: list[Numbers] = []
    bins: list[tuple[int, float, Floats]] = []
    tables: list[Table] = []
    waves: list[Wave] = []
    bends: list[Bend] = []
    words: dict[str, Words] = {}
    for name, step, names in transformer.transformers_:
        sources = np.array([place[each] for each in names], dtype=np.int64)
        steps = list(step.named_steps.values()) if isinstance(step, Pipeline) else [step]
        if name.startswith("text"):
            raise NotCompilable(f"it learns from the text of '{names[0]}'")
        if name.startswith("cycles"):
            waves += _waves(steps, int(sources[0]))
        elif name.startswith("categor"):
            if not isinstance(steps[0], SimpleImputer):
                raise NotCompilable(f"it takes the numbers of '{names[0]}' for categories")
            for position, each in enumerate(names):
                words[each] = _words(steps[0], steps[1], position)
                probes = [np.nan, *words[each], unseen(words[each])]
                tables.append(Table(place[each], _lines(steps, names, position, probes, object)))
        elif isinstance(steps[-1], KBinsDiscretizer):
            edges = [each[1:-1] for each in steps[1].bin_edges_]
            bins += zip(sources.tolist(), steps[0].statistics_.tolist(), edges, strict=True)
        elif any(isinstance(each, OrdinalEncoder) for each in steps):
            for position, each in enumerate(names):
                tables.append(Table(place[each], _lines(steps, names, position, [np.nan, 0.0, 1.0, 2.0], np.float64)))
        else:
            straight, bent = parted(steps, first=sum(len(each.sources) for each in numbers))
            bends += bent
            numbers.append(_numbers(straight, sources))
    joined = Numbers(*map(np.concatenate, zip(*numbers, strict=True))) if numbers else _numbers([], np.zeros(0, int))
    recipe = _compiled(len(columns), joined, bins, tables, by_column=False)
    return _bent(_with_waves(recipe, waves) if waves else recipe, bends), words


def _numbers(steps: Sequence[Any], sources: NDArray[np.int64]) -> Numbers:
    """Columns that are used as they are, imputed, scaled, or both."""
    sources = sources.astype(np.int64)
    found = Numbers(
        sources,
        np.zeros(len(sources), dtype=np.uint8),
        np.full(len(sources), np.nan),
        np.zeros(len(sources)),
        np.ones(len(sources)),
    )
    for step in steps:
        if isinstance(step, SimpleImputer):
            gaps = step.indicator_.features_ if step.add_indicator else np.zeros(0, dtype=np.int64)
            found = Numbers(
                np.concatenate([sources, sources[gaps]]),
                np.concatenate([np.zeros(len(sources)), np.ones(len(gaps))]).astype(np.uint8),
                np.concatenate([step.statistics_.astype(np.float64), np.zeros(len(gaps))]),
                np.zeros(len(sources) + len(gaps)),
                np.ones(len(sources) + len(gaps)),
            )
        elif isinstance(step, StandardScaler):
            found = found._replace(shifts=step.mean_.astype(np.float64), scales=step.scale_.astype(np.float64))
        elif isinstance(step, RobustScaler):
            found = found._replace(shifts=step.center_.astype(np.float64), scales=step.scale_.astype(np.float64))
        elif step != "passthrough" and type(step).__name__ != "FunctionTransformer":
            raise NotCompilable(f"a step before it is a {type(step).__name__}")
    return found


def _bent(recipe: CompiledRecipe, bends: list[Bend]) -> CompiledRecipe:
    if not bends:
        return recipe
    return with_bends(recipe if isinstance(recipe, CyclicRecipe) else _with_waves(recipe, []), bends)


def _waves(steps: Sequence[Any], source: int) -> list[Wave]:
    """The sines and cosines of a column of dates, with the points that `numpy.interp` takes for them."""
    fill = float(steps[0].statistics_[0]) if isinstance(steps[0], SimpleImputer) else np.nan
    found = []
    for _name, wave in steps[-1].transformer_list:
        drawn = wave.func.keywords
        places, heights, period = np.array(drawn["xp"]), np.array(drawn["fp"]), drawn["period"]
        # One point before the period and one behind it, from its other end.
        around = np.concatenate([places[-1:] - period, places, places[:1] + period])
        found.append(Wave(source, fill, period, around, np.concatenate([heights[-1:], heights, heights[:1]])))
    return found


def _with_waves(recipe: CompiledRecipe, waves: list[Wave]) -> CyclicRecipe:
    parts = {each.name: getattr(recipe, each.name) for each in fields(recipe)}
    return CyclicRecipe(
        **parts,
        wave_sources=np.array([wave.source for wave in waves], dtype=np.int64),
        wave_fills=np.array([wave.fill for wave in waves], dtype=np.float64),
        periods=np.array([wave.period for wave in waves], dtype=np.float64),
        wave_starts=np.cumsum([0, *(len(wave.places) for wave in waves)]).astype(np.int64),
        places=np.concatenate([np.zeros(0), *(wave.places for wave in waves)]),
        heights=np.concatenate([np.zeros(0), *(wave.heights for wave in waves)]),
    )


def _words(imputer: SimpleImputer, encoder: Any, position: int) -> Words:
    """The categories that an encoder knows, without the one that stands for gaps."""
    gap = imputer.statistics_[position]
    return tuple(word for word in encoder.categories_[position].tolist() if word != gap)


def _lines(steps: Sequence[Any], names: Sequence[str], position: int, probes: list[Any], dtype: type) -> Floats:
    """What the steps make of each probe in one column: the features that are that column's."""
    # The other columns have a gap in each row, so their features are the same in all rows.
    frame = pd.DataFrame({name: np.full(len(probes), np.nan, dtype=dtype) for name in names})
    frame[names[position]] = np.array(probes, dtype=dtype)
    made: Any = frame
    for step in steps:
        made = step.transform(made)
    encoder = next(step for step in steps if hasattr(step, "categories_"))
    # Names without an underscore, so that the name before the first one tells the column.
    features = encoder.get_feature_names_out([f"x{number}" for number in range(len(names))])
    own = [number for number, feature in enumerate(features) if feature.partition("_")[0] == f"x{position}"]
    return np.ascontiguousarray(np.asarray(made, dtype=np.float64)[:, own])


def _is_by_column(steps: Sequence[Any], columns: int) -> bool:
    """Whether the steps give their features column by column."""
    made: Any = np.zeros((3, columns))
    for step in steps:
        made = step.transform(made)
    return bool(made.flags.f_contiguous and not made.flags.c_contiguous)


def _compiled(
    columns: int, numbers: Numbers, bins: list[tuple[int, float, Floats]], tables: list[Table], *, by_column: bool
) -> CompiledRecipe:
    def starts(parts: Sequence[Any]) -> NDArray[np.int64]:
        return np.cumsum([0, *(part.size for part in parts)]).astype(np.int64)

    edges = [np.asarray(each[2], dtype=np.float64) for each in bins]
    lines = [table.lines for table in tables]
    return CompiledRecipe(
        columns=columns,
        **numbers._asdict(),
        bin_sources=np.array([each[0] for each in bins], dtype=np.int64),
        bin_fills=np.array([each[1] for each in bins], dtype=np.float64),
        edges=np.concatenate([np.zeros(0), *edges]),
        bin_starts=starts(edges),
        table_sources=np.array([table.source for table in tables], dtype=np.int64),
        widths=np.array([table.lines.shape[1] for table in tables], dtype=np.int64),
        entries=np.concatenate([np.zeros(0), *(each.reshape(-1) for each in lines)]),
        table_starts=starts(lines),
        by_column=by_column,
    )
