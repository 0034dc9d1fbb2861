"""The short way of POST /predict with rows of all kinds of cells: its answers are those of the usual way."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from api.fast.answers import AnswerWriter
from api.fast.rows import MOST_COLUMNS, NotPlain, RowReader
from api.parts import Parts
from shared.estimators.signature import Signature
from shared.tables.columns import CellReading, ColumnKind
from tests.support.models import Fitted, Platform, iris_forest
from tests.support.training_tables import dirty, trained_once
from tests.support.two_ways import both, slips

WHOLE: dict[str, Any] = {
    "customer_id": 1,
    "age": 50,
    "city": "Lyon",
    "member": True,
    "since": "2024-02-29",
    "remark": "nothing of note",
    "currency": "EUR",
    "empty": None,
}
DATASETS = ("iris", "dirty", "typed", "towns")


def with_readings(fitted: Fitted, **fields: Any) -> Fitted:
    """The model as one of a table whose cells were read by the newest rules."""
    inputs = [
        column.model_copy(update={"cells": CellReading(kind=ColumnKind(column.kind), **fields)})
        for column in fitted.signature.inputs
    ]
    signature = Signature(**{**dict(fitted.signature), "inputs": inputs})
    return Fitted(fitted.model, signature, fitted.environment, fitted.compiled)


def fitted(table: pd.DataFrame) -> Fitted:
    """A forest of a table."""
    result = trained_once("ensemble.RandomForestClassifier", table, params={"n_estimators": 5})
    return Fitted(result.model, result.facts.signature, result.facts.environment, result.compiled)


def towns() -> pd.DataFrame:
    """A table with more categories than a signature lists, some of which a reader would not leave as they are."""
    names = [*(f"Town {number}" for number in range(140)), " Ulm ", "NA", "Ä\u0301"]
    generator = np.random.default_rng(1)
    town = np.array(names * 4, dtype=object)
    size = generator.normal(size=len(town))
    return pd.DataFrame({"town": pd.Series(town, dtype="str"), "size": size, "target": np.where(size > 0, "a", "b")})


@pytest.fixture(scope="module")
def furnished(one_client: TestClient, one_parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    folder = tmp_path_factory.mktemp("models")
    platform = Platform(one_parts.database, one_parts.store, one_parts.settings, one_parts.key, folder)
    models = {
        "iris": iris_forest().in_form(),
        "dirty": with_readings(fitted(dirty())),
        "typed": with_readings(fitted(dirty()), typed=True),
        "towns": with_readings(fitted(towns())),
    }
    for name, model in models.items():
        platform.train(platform.dataset(name), model, name=name)
        one_parts.cache.get(name, "dev")
    return one_client


@contextmanager
def answered(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bool]]:
    """Whether each body was found plain by what reads rows of all kinds."""
    found: list[bool] = []
    answer = AnswerWriter.answer_to

    def note(self: AnswerWriter, *given: Any) -> bytes | None:
        result = answer(self, *given)
        found.append(result is not None)
        return result

    with monkeypatch.context() as patched:
        patched.setattr(AnswerWriter, "answer_to", note)
        yield found


def by_name(*rows: dict[str, Any], dataset: str = "dirty", wanted: Any = ("label",)) -> dict[str, Any]:
    return {"dataset_name": dataset, "environment": "dev", "input_data": {"records": list(rows)}, "return": wanted}


def by_place(*rows: dict[str, Any], dataset: str = "dirty", wanted: Any = ("label",)) -> dict[str, Any]:
    cells = [list(row.values()) for row in rows]
    return {"dataset_name": dataset, "environment": "dev", "input_data": {"features": cells}, "return": wanted}


BOTH = ["label", "probability"]
TAKEN: dict[str, dict[str, Any]] = {
    "a whole row": WHOLE,
    "a number with a fraction": WHOLE | {"age": 50.25},
    "a moment": WHOLE | {"since": "2024-02-29T23:59:59"},
    "a moment with a blank": WHOLE | {"since": "0001-01-01 00:00:00"},
    "the last moment": WHOLE | {"since": "9999-12-31T23:59:59"},
    "gaps": WHOLE | {"age": None, "city": None, "since": None},
    "another gap": WHOLE | {"member": None},
    "anything in a column that is left aside": WHOLE
    | {"remark": None, "currency": 7, "customer_id": "Ä", "empty": True},
}


@pytest.mark.parametrize("dataset", ["dirty", "typed"])
@pytest.mark.parametrize("sent", TAKEN)
def test_rows_of_all_kinds_of_cells_are_answered_alike(
    furnished: TestClient, sent: str, dataset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for made in (by_name, by_place):
        body = made(TAKEN[sent], WHOLE, dataset=dataset, wanted=BOTH)
        with answered(monkeypatch) as found:
            short, usual = both(furnished, json.dumps(body))
        assert short == usual
        assert short[0] == 200
        assert found == [True]
        with answered(monkeypatch) as found:
            only = {name: body[name] for name in ("input_data", "return")}
            short, usual = both(furnished, json.dumps(only), f"/models/{dataset}/dev/predict")
        assert short == usual
        assert found == [True]


LEFT: dict[str, dict[str, Any]] = {
    "a new category": WHOLE | {"city": "Ulm"},
    "blanks around a category": WHOLE | {"city": " Lyon "},
    "a gap word": WHOLE | {"city": "NA"},
    "a number as a category": WHOLE | {"city": 7},
    "a boolean as a category": WHOLE | {"city": True},
    "a number in a string": WHOLE | {"age": "50"},
    "a boolean in a string": WHOLE | {"member": "true"},
    "a boolean as a number": WHOLE | {"age": True},
    "a number as a boolean": WHOLE | {"member": 1},
    "a word as a number": WHOLE | {"age": "fifty"},
    "a huge integer": WHOLE | {"age": 10**307},
    "a huge integer that is left aside": WHOLE | {"customer_id": 10**307},
    "a list that is left aside": WHOLE | {"remark": []},
    "a moment with a zone": WHOLE | {"since": "2024-02-29T12:00:00+02:00"},
    "no such day": WHOLE | {"since": "2023-02-29"},
    "a day as a gap word": WHOLE | {"since": "NA"},
    "a list": WHOLE | {"age": [50]},
    "no value at all": dict.fromkeys(WHOLE),
    "one name less": {name: value for name, value in WHOLE.items() if name != "age"},
    "one name more": WHOLE | {"target": "buys"},
    "an unknown name": WHOLE | {"ages": 50},
}


@pytest.mark.parametrize("dataset", ["dirty", "typed"])
@pytest.mark.parametrize("sent", LEFT)
def test_rows_that_need_a_closer_look_are_answered_alike(
    furnished: TestClient, sent: str, dataset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for made in (by_name, by_place):
        for rows in ([LEFT[sent]], [WHOLE] * 300 + [LEFT[sent]]):
            with answered(monkeypatch) as found:
                short, usual = both(furnished, json.dumps(made(*rows, dataset=dataset, wanted=BOTH)))
            assert short == usual
            assert found == [False]


def test_the_order_of_the_names_does_not_matter(furnished: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    turned = dict(reversed(WHOLE.items()))
    with answered(monkeypatch) as found:
        short, usual = both(furnished, json.dumps(by_name(turned, WHOLE)))
    assert short == usual
    assert found == [True]


@pytest.mark.parametrize("rows", [1, 2, 255, 256, 257, 3_000])
def test_any_number_of_rows_is_answered_alike(
    furnished: TestClient, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = [WHOLE | {"age": number % 90, "city": ("Berlin", "Lyon", None)[number % 3]} for number in range(rows)]
    for made in (by_name, by_place):
        with answered(monkeypatch) as found:
            short, usual = both(furnished, json.dumps(made(*sent, wanted=BOTH)))
        assert short == usual
        assert short[0] == 200
        assert found == [True]


def test_the_names_of_a_model_of_numbers_are_read_so_too(
    furnished: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1, "petal_width": 0.2}
    with answered(monkeypatch) as found:
        short, usual = both(furnished, json.dumps(by_name(row, row, dataset="iris")))
    assert short == usual
    assert found == [True]


@pytest.mark.parametrize("name", ['si"ze', "si\\ze"])
def test_a_name_that_is_written_with_an_escape_is_read_by_place(
    app: FastAPI, client: TestClient, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts: Parts = app.state.parts
    platform = Platform(parts.database, parts.store, parts.settings, parts.key, tmp_path)
    table = dirty().rename(columns={"age": name})
    platform.train(platform.dataset("escaped"), with_readings(fitted(table)), name="escaped")
    parts.cache.get("escaped", "dev")
    row = {name if column == "age" else column: value for column, value in WHOLE.items()}
    for made, is_plain in ((by_place, True), (by_name, False)):
        with answered(monkeypatch) as found:
            short, usual = both(client, json.dumps(made(row, dataset="escaped", wanted=BOTH)))
        assert short == usual
        assert short[0] == 200
        assert (True in found) is is_plain


@pytest.mark.parametrize(
    ("town", "is_plain"),
    [("Town 7", True), ("Town 139", True), ("NA", False), (" Ulm ", False), ("Ä\u0301", True), ("Nowhere", False)],
)
def test_of_more_categories_than_the_signature_lists_those_are_plain_that_a_reader_leaves_as_they_are(
    furnished: TestClient, town: str, is_plain: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = json.dumps(by_name({"town": town, "size": 0.1}, dataset="towns", wanted=BOTH), ensure_ascii=False)
    with answered(monkeypatch) as found:
        short, usual = both(furnished, body.encode())
    assert short == usual
    assert found == [is_plain]


START = '{"dataset_name":"dirty","environment":"dev","input_data":{"records":['
ROW = json.dumps(WHOLE)
TWICE = {
    "a column": START + ROW.replace('"age": 50', '"age": 7, "age": 50') + "]}}",
    "a column with a text": START + ROW.replace('"city": "Lyon"', '"city": "Oslo", "city": "Lyon"') + "]}}",
    "a column instead of another": START + ROW.replace('"age": 50', '"city": "Oslo"') + "]}}",
    "the rows": START + ROW + '],"records":[' + ROW + "]}}",
    "both forms": START + ROW + '],"features":[' + json.dumps(list(WHOLE.values())) + "]}}",
    "the input": START + ROW + ']},"input_data":{"records":[' + ROW + "]}}",
    "the dataset": START.replace("{", '{"dataset_name":"dirty",', 1) + ROW + "]}}",
}


@pytest.mark.parametrize("sent", TWICE)
def test_what_is_said_twice_is_refused_as_ever(
    furnished: TestClient, sent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answered(monkeypatch) as found:
        short, usual = both(furnished, TWICE[sent])
    assert short == usual
    assert short[0] == 422
    assert True not in found


def test_the_place_is_said_once_by_the_address_or_by_the_body(furnished: TestClient) -> None:
    for address, body in (
        ("/models/dirty/dev/predict", by_name(WHOLE)),
        ("/models/dirty/dev/predict", {"dataset_name": "dirty", "input_data": {"records": [WHOLE]}}),
        ("/predict", {"input_data": {"records": [WHOLE]}}),
        ("/predict", {"dataset_name": "dirty", "input_data": {"records": [WHOLE]}}),
    ):
        short, usual = both(furnished, json.dumps(body), address)
        assert short == usual
        assert short[0] == 422


CELLS: st.SearchStrategy[Any] = st.sampled_from(
    [
        None, True, False, 0, 1, -1, 50, 50.5, 1e300, 10**307, 10**309, "", " ", "NA", "null", "Lyon", "lyon", "Berlin",
        "true", "True", "1", "1.5", "EUR", "2024-02-29", "2024-02-30", "2024-02-29T12:00:00", "2024-02-29T12:00:00Z",
        "2024-02-29 12:00:00.5", "20240229", "2024-W05", "\u0661\u0661", "Ä", "A\u0308", "\x7f", "a\tb", [], {}, [1],
    ]
)  # fmt: skip


@effort(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    dataset=st.sampled_from(["dirty", "typed"]),
    changes=st.lists(st.dictionaries(st.sampled_from(list(WHOLE)), CELLS, max_size=3), min_size=1, max_size=3),
    form=st.tuples(st.sampled_from([by_name, by_place]), st.booleans()),
    left_out=st.sets(st.sampled_from(list(WHOLE)), max_size=1),
)
def test_both_ways_answer_alike_to_cells_of_all_kinds(
    furnished: TestClient,
    dataset: str,
    changes: list[dict[str, Any]],
    form: tuple[Any, bool],
    left_out: set[str],
) -> None:
    rows = [{name: value for name, value in (WHOLE | each).items() if name not in left_out} for each in changes]
    made, escaped = form
    body = json.dumps(made(*rows, dataset=dataset, wanted=BOTH), ensure_ascii=escaped)
    short, usual = both(furnished, body.encode())
    assert short == usual


ESCAPES = {
    "of a category": (ROW.replace("Lyon", "L\\u0079on"), True),
    "of a name": (ROW.replace("city", "cit\\u0079"), True),
    "of a day": (ROW.replace("2024", "\\u0032024"), True),
    "of what is left aside": (ROW.replace("EUR", "\\u00c4\\n\\/\\u0022"), True),
    "for half a character": (ROW.replace("EUR", "\\ud83d"), False),
    "for two halves": (ROW.replace("EUR", "\\ud83d\\ude00"), False),
    "for nothing": (ROW.replace("EUR", "\\u0000"), False),
    "for a quote": (ROW.replace("EUR", '\\"'), False),
    "for a backslash": (ROW.replace("EUR", "\\\\"), False),
}


@pytest.mark.parametrize("sent", ESCAPES)
def test_escapes_are_answered_alike(furnished: TestClient, sent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row, is_plain = ESCAPES[sent]
    with answered(monkeypatch) as found:
        short, usual = both(furnished, START + row + "]}}")
    assert short == usual
    assert (True in found) is is_plain


SLIPS = json.dumps(by_name(WHOLE, wanted=BOTH), ensure_ascii=False)


@effort(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=slips(SLIPS))
def test_both_ways_answer_alike_to_rows_with_a_slip(furnished: TestClient, content: bytes) -> None:
    short, usual = both(furnished, content)
    assert short == usual


def test_a_model_whose_rows_are_never_plain_has_no_reader() -> None:
    whole = with_readings(fitted(dirty()))
    assert whole.compiled is not None
    assert RowReader(whole.signature, whole.compiled) is not None
    older = fitted(dirty()).signature
    gaps = with_readings(fitted(dirty()), gap_words=("-999",)).signature
    names = [f"more_{number}" for number in range(MOST_COLUMNS)]
    aside = [whole.signature.inputs[0].model_copy(update={"name": name, "used": False}) for name in names]
    wide = Signature(**{**dict(whole.signature), "inputs": [*whole.signature.inputs, *aside]})
    for signature in (older, gaps, wide):
        with pytest.raises(NotPlain):
            RowReader(signature, whole.compiled)
