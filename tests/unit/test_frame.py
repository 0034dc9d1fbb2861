"""Raw values become the same numbers whether they come from a table or from a request."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared.estimators.signature import InputColumn
from shared.training.frame import model_input


def inputs(**kinds: str) -> list[InputColumn]:
    return [InputColumn(name=name, kind=kind, missing_allowed=True) for name, kind in kinds.items()]


MOMENTS: list[Any] = ["2024-02-29", "2024-02-29T06:00:00", "1969-12-31T00:00:00.000001", None]


def test_a_table_and_a_request_give_the_same_frame() -> None:
    raw: dict[str, list[Any]] = {
        "count": [1, 2, None, -3],
        "flag": [True, None, False, True],
        "when": MOMENTS,
        "word": ["a", None, "", "ü"],
    }
    table = pd.DataFrame(
        {
            "count": pd.Series([1, 2, np.nan, -3], dtype="float64"),
            "flag": pd.Series([True, None, False, True], dtype=object),
            "when": pd.to_datetime(pd.Series(MOMENTS), format="ISO8601").astype("datetime64[us]"),
            "word": pd.Series(["a", None, "", "ü"], dtype="str"),
        }
    )
    columns = inputs(count="integer", flag="boolean", when="datetime", word="category")
    asked, fitted = (model_input(source, columns, numeric=False) for source in (raw, table))
    pd.testing.assert_frame_equal(asked, fitted)
    assert [str(dtype) for dtype in asked.dtypes] == ["float64", "float64", "float64", "object"]
    assert asked["when"][0] == 19782.0
    assert asked["when"][1] == 19782.25
    assert asked["when"][2] == pytest.approx(-1, abs=1e-9)
    assert isinstance(asked["word"][1], float)


def test_a_moment_with_a_zone_is_turned_into_utc() -> None:
    frame = model_input(
        {"when": ["1970-01-02T02:00:00+02:00", "1970-01-02T00:00:00Z"]}, inputs(when="datetime"), numeric=False
    )
    assert frame["when"].tolist() == [1.0, 1.0]


def test_moments_far_from_today_are_the_same_days_in_table_and_request() -> None:
    texts = [f"{year:04}-06-01T12:34:56.{year:06}" for year in range(1, 9999, 7)]
    columns = inputs(when="datetime")
    table = pd.DataFrame({"when": pd.Series(np.array(texts, dtype="datetime64[us]"))})
    asked, fitted = (model_input(source, columns, numeric=False) for source in ({"when": texts}, table))
    assert asked["when"].tolist() == fitted["when"].tolist()


@pytest.mark.parametrize("source", ["table", "request"])
def test_a_plain_array_has_one_column_per_input_in_order(source: str) -> None:
    raw = {"b": [3, 4], "a": [1.5, None], "unused": ["x", "y"]}
    columns = pd.DataFrame(raw) if source == "table" else raw
    array = model_input(columns, inputs(a="number", b="integer"), numeric=True)
    assert array.dtype == np.float64
    np.testing.assert_array_equal(array, [[1.5, 3], [np.nan, 4]])


def test_columns_that_are_left_aside_need_not_be_there() -> None:
    used = inputs(a="number")
    aside = InputColumn(name="remark", kind="text", missing_allowed=True, used=False)
    assert list(model_input({"a": [1]}, [aside, *used], numeric=False).columns) == ["a"]


def test_booleans_of_a_table_without_gaps_become_numbers() -> None:
    frame = model_input(pd.DataFrame({"flag": [True, False]}), inputs(flag="boolean"), numeric=False)
    assert frame["flag"].tolist() == [1.0, 0.0]
