"""How numbers are scaled for estimators that need it: what is far from all others counts for little."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

from shared.compiled.file import read_model, write_model
from shared.compiled.kernels.columns import bend_numbers
from shared.compiled.parts import FormDamaged
from shared.compiled.recipe import BentRecipe
from shared.tables.columns import CellReading, Column
from shared.training.pin import Pin
from shared.training.plan import FIRST_RECIPE, RECIPE, Plan, plan_of
from shared.training.reproducing import train_again
from shared.training.spec import BatchesChoice
from shared.training.squash import squash_steps
from shared.training.trainer import Trained, train
from tests.support.training_tables import dirty, numeric_amounts, numeric_classes, profile_of, quiet, spec_of, treatment

LOGISTIC, RIDGE, FOREST = "linear_model.LogisticRegression", "linear_model.Ridge", "ensemble.RandomForestClassifier"


def columns_of(table: pd.DataFrame) -> list[Column]:
    """As this release reads them."""
    return [column.model_copy(update={"cells": CellReading(kind=column.kind)}) for column in profile_of(table)]


def fitted(estimator: str, table: pd.DataFrame, **fields: Any) -> Trained:
    return train(spec_of(estimator, **fields), table, columns_of(table), threads=1, folds=0, on_step=quiet)


def planned(estimator: str, table: pd.DataFrame, **fields: Any) -> Plan:
    spec = spec_of(estimator, **fields)
    return plan_of(spec, spec.model.estimator(), columns=columns_of(table), rows=len(table))


def squashed(numbers: list[float], *, learnt: list[float]) -> list[float]:
    steps = make_pipeline(*squash_steps()).fit(np.array(learnt)[:, None])
    return [float(each) for each in steps.transform(np.array(numbers)[:, None])[:, 0]]


def with_gaps(numbers: "pd.Series[Any]") -> "pd.Series[Any]":
    return numbers.where(numbers.index % 7 > 0)


def with_few_far(table: pd.DataFrame, name: str) -> pd.DataFrame:
    return table.assign(**{name: table[name].where(table.index % 40 > 0, 1e9)})


def test_numbers_near_the_others_stay_on_a_straight_line_and_no_other_is_more_than_four_away() -> None:
    found = squashed([-1e12, 0, 25, 50, 75, 150, 200, 250, 500, 1e12], learnt=[float(number) for number in range(101)])
    assert found[1:6] == pytest.approx([-1, -0.5, 0, 0.5, 2])
    # 3 units away is drawn at 4 - 4 / 3.
    assert found[6] == pytest.approx(4 - 4 / 3)
    assert found == sorted(found)
    assert (found[0], found[-1]) == (-3.996, 3.996)


def test_where_most_numbers_are_the_same_half_of_all_is_the_unit() -> None:
    assert squashed([7, 7.5, 8, 9], learnt=[7.0] * 9 + [9.0]) == pytest.approx([0, 0.5, 1, 2])


def test_a_column_with_one_number_only_is_nothing() -> None:
    assert squashed([5], learnt=[5.0] * 3) == [0]


def test_a_table_of_numbers_without_gaps_is_scaled_for_estimators_that_need_it_and_for_no_others() -> None:
    table = numeric_classes()
    assert "squashed to at most 4" in treatment(fitted(LOGISTIC, table), "width")["treatment"]
    assert treatment(fitted(FOREST, table), "width")["treatment"] == "used as a number"
    assert type(fitted(FOREST, table).model).__name__ == "RandomForestClassifier"


def test_the_unit_of_a_column_does_not_change_what_a_linear_model_says() -> None:
    table = numeric_amounts()
    small = table.assign(width=table["width"] / 1e6)
    assert fitted(RIDGE, small).facts.metrics["r2"] == pytest.approx(fitted(RIDGE, table).facts.metrics["r2"], abs=1e-9)


def test_numbers_far_from_all_others_do_not_hide_these() -> None:
    table = with_few_far(numeric_classes(), "width")
    usual = fitted(LOGISTIC, table, features=["width"]).facts.metrics["accuracy"]
    standard = fitted(LOGISTIC, table, features=["width"], preprocessing={"width": {"scale": "standard"}})
    assert usual > standard.facts.metrics["accuracy"] + 0.3


@pytest.mark.parametrize("spread", [1.0, 1.5])
def test_a_straight_line_stays_one_also_far_beyond_the_numbers_that_it_was_learnt_from(spread: float) -> None:
    numbers = np.random.default_rng(3).lognormal(sigma=spread, size=200)
    table = pd.DataFrame({"size": numbers, "target": 3 * numbers + 1})
    result = fitted("linear_model.LinearRegression", table)
    assert result.facts.metrics["r2"] == pytest.approx(1, abs=1e-12)
    assert treatment(result, "size")["treatment"] == "used as a number, scaled to mean 0 and deviation 1"
    assert result.model.predict(pd.DataFrame({"size": [1e6]})) == pytest.approx([3e6 + 1])


def test_the_scaling_can_be_chosen() -> None:
    result = fitted(FOREST, numeric_classes(), preprocessing={"width": {"scale": "squash"}})
    assert treatment(result, "width")["treatment"].endswith("squashed to at most 4; chosen in 'preprocessing'")
    assert result.facts.compilation is not None
    assert result.facts.compilation.bit_for_bit, result.facts.compilation.detail


@pytest.mark.parametrize(
    "table",
    [
        with_few_far(numeric_classes(), "width"),
        with_few_far(numeric_classes(), "width").assign(height=with_gaps(numeric_classes()["height"])),
        dirty(rows=120).drop(columns="remark"),
    ],
    ids=["numbers", "numbers with gaps", "all kinds"],
)
def test_the_compiled_form_is_equal_to_the_last_bit(table: pd.DataFrame, tmp_path: Path) -> None:
    result = fitted(LOGISTIC, table)
    assert result.facts.compilation is not None
    assert result.facts.compilation.bit_for_bit, result.facts.compilation.detail
    assert result.compiled is not None
    write_model(result.compiled, tmp_path / "form")
    with (tmp_path / "form").open("rb") as file:
        read = read_model(file)
    assert isinstance(read.recipe, BentRecipe)
    rows = np.zeros((1, len(read.categories)))
    assert read.compute(rows, probabilities=False).predictions == result.compiled.compute(rows, probabilities=False)[0]
    with pytest.raises(ValueError, match="infinite"):
        read.compute(rows + np.inf, probabilities=False)


def test_a_bend_that_leads_out_of_the_numbers_is_damaged() -> None:
    compiled = fitted(LOGISTIC, numeric_classes()).compiled
    assert compiled is not None
    recipe = compiled.recipe
    assert isinstance(recipe, BentRecipe)
    parts = vars(recipe)
    names = BentRecipe.__dataclass_fields__
    for name, wrong in (
        ("bent", recipe.bent + len(recipe.bent)),
        ("units", recipe.units[:-1]),
        ("bend_places", recipe.bend_places[::-1].copy()),
        ("bend_heights", recipe.bend_heights[:-1]),
    ):
        with pytest.raises(FormDamaged):
            BentRecipe(**{each: parts[each] for each in names} | {name: wrong}).check()


def test_the_line_is_that_of_numpy_to_the_last_bit() -> None:
    places, heights = np.array([-3.0, -1.0, 0.5, 2.0]), np.array([-1.0, 0.1, 0.3, 9.0])
    beside = [np.nextafter(places, 9), np.nextafter(places, -9)]
    near = np.concatenate([places, *beside, np.linspace(-4, 4, 999), [np.nan]])
    scaling = (np.zeros(1, dtype=np.int64), np.ones(1), np.zeros(1), np.zeros(1), np.ones(1))
    out = near[:, None].copy()
    assert bend_numbers(*scaling, places, heights, out)
    assert np.array_equal(out[:, 0], np.interp(near, places, heights), equal_nan=True)
    assert not bend_numbers(*scaling, places, heights, np.full((1, 1), np.inf))


def test_in_batches_means_and_deviations_of_all_rows_scale_numbers() -> None:
    plan = planned("linear_model.SGDClassifier", numeric_classes(), batches=BatchesChoice(rows=1_000))
    assert (plan.scaled, plan.scale) == (True, "standard")


def test_a_model_of_an_older_release_is_trained_again_by_its_recipe() -> None:
    table, spec = with_few_far(dirty(rows=120), "age"), spec_of(LOGISTIC)
    made = [
        train_again(spec, table, columns_of(table), None, threads=1, folds=0, recipe=recipe, on_step=quiet).metrics
        for recipe in (FIRST_RECIPE, RECIPE)
    ]
    assert made[0] != made[1]
    assert made[1] == fitted(LOGISTIC, table).facts.metrics
    first = plan_of(spec, spec.model.estimator(), columns=columns_of(table), rows=120, recipe=FIRST_RECIPE)
    assert first.scale == "standard"
    assert first.cycles == planned(FOREST, table).cycles == {"since": ("week", "year")}
    assert planned(LOGISTIC, table).cycles == {"since": ("week", "month", "year")}
    # Of numbers without gaps, that release made nothing.
    plain = columns_of(numeric_classes())
    assert not plan_of(spec, spec.model.estimator(), columns=plain, rows=120, recipe=FIRST_RECIPE).scaled


def test_a_pin_without_a_recipe_has_the_first_one() -> None:
    assert Pin(libraries={}, machine="x86_64", threads=1, folds=0).recipe == FIRST_RECIPE
