"""What an upload says about how its file is read: refused where it cannot be right, and looked at by a dry run."""

import encodings
import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import select

from api.http.reading_fields import READING_FIELDS, reading_options
from api.parts import Parts
from shared.datasets.rows import DatasetRow, DatasetVersionRow
from shared.tables import reader
from shared.tables.options import ReadingOptions

EMPTY: dict[str, Any] = dict.fromkeys(READING_FIELDS, "")
TABLE = b"size,word\n1,x\n2,y\n"


def upload(client: TestClient, content: bytes = TABLE, *, dry_run: bool | None = None, **fields: Any) -> Response:
    query = {} if dry_run is None else {"dry_run": dry_run}
    return client.post("/datasets/upload", files={"file": ("data.csv", content)}, data=fields, params=query)


def reread(client: TestClient, name: str = "data", *, dry_run: bool = False, **body: Any) -> Response:
    return client.post(f"/datasets/{name}/reread", json=body, params={"dry_run": dry_run})


def kept(parts: Parts) -> tuple[int, int, list[str]]:
    """How many datasets and versions there are, also such as cannot be seen, and the objects."""
    with parts.database.read() as session:
        rows = [len(session.scalars(select(row.id)).all()) for row in (DatasetRow, DatasetVersionRow)]
    keys = sorted(each.key for each in parts.store.list(parts.settings.datasets_bucket))
    return rows[0], rows[1], keys


def left(parts: Parts) -> list[str]:
    names = (path.name for path in parts.reader.folder.iterdir())
    return [name for name in names if name.startswith(("spool-", "reading-", "fetched-"))]


@pytest.fixture(scope="module")
def known(one_client: TestClient) -> TestClient:
    """The client of an application that has a table, for requests that change nothing of it."""
    assert upload(one_client).status_code == 201
    return one_client


REFUSED: dict[str, tuple[str, str, list[str | int], str]] = {
    "no encoding": ("encoding", "klingon", ["encoding"], "utf-8, cp1252 or utf-16"),
    "an encoding of bytes": ("encoding", "hex", ["encoding"], "encoding of text"),
    "a long delimiter": ("delimiter", ";;", ["delimiter"], "one character such as"),
    "a letter between cells": ("delimiter", "a", ["delimiter"], "one character such as"),
    "no quote": ("quote", "`", ["quote"], "or none where cells are never quoted"),
    "no decimal mark": ("decimal", ";", ["decimal"], "'.' or ','"),
    "no mark of thousands": ("thousands", ";", ["thousands"], "or 'none'"),
    "line 0": ("header", "0", ["header"], "the number of the line"),
    "a line of words": ("header", "first", ["header"], "from 1, or none"),
    "no names": ("header", "none", ["names"], "'names' has to give the names"),
    "names without quotes": ("names", "age,city", ["names"], 'Send JSON such as ["age", "city"]'),
    "names of numbers": ("names", "[1, 2]", ["names", 0], "a text"),
    "names as one text": ("names", '"age"', ["names"], "not a JSON list"),
    "names twice": ("names", '["a", "b", "a "]', ["names"], "'a' is given twice"),
    "no names in the list": ("names", "[]", ["names"], "1 item or more"),
    "too many names": ("names", json.dumps([str(n) for n in range(5_001)]), ["names"], "at most 5,000 items"),
    "an escape in a name": ("names", '["a\\u001b[31m"]', ["names"], "the control character U+001B"),
    "a blank name": ("names", '["a", " "]', ["names"], "2 is blank: name each column"),
    "names in names": ("names", "[" * 5_000, ["names"], "lists in lists"),
    "a long name": ("names", json.dumps(["x" * 300]), ["names", 0], "256"),
    "gap words of numbers": ("gap_words", "[99]", ["gap_words", 0], "a text"),
    "gap words without quotes": ("gap_words", "NA", ["gap_words"], 'Send JSON such as ["NA", "?"]'),
    "kinds that are a list": ("kinds", '["category"]', ["kinds"], 'Send JSON such as {"zip": "category"}'),
    "kinds with a column twice": ("kinds", '{"a": "text", "a": "category"}', ["kinds"], "twice"),
    "no kind": ("kinds", '{"word": "categorie"}', ["kinds", "word"], "integer, number, boolean, category, text"),
    "no form of dates": ("kinds", '{"word": "datetime:ymd"}', ["kinds", "word"], "datetime:dmy or datetime:mdy"),
}


@pytest.mark.any_stack
@pytest.mark.parametrize(("field", "value", "place", "hint"), REFUSED.values(), ids=REFUSED.keys())
@pytest.mark.parametrize("dry_run", [False, True])
def test_a_field_that_cannot_be_right_is_refused_with_what_to_send_and_leaves_nothing(
    one_client: TestClient, one_parts: Parts, *, dry_run: bool, field: str, value: Any, place: list[str], hint: str
) -> None:
    before = kept(one_parts)
    answer = upload(one_client, dry_run=dry_run, **{field: value})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "invalid_request"), problem
    assert problem["errors"][0]["loc"] == ["body", *place]
    assert hint in problem["errors"][0]["msg"]
    assert hint in problem["detail"]
    assert kept(one_parts) == before
    assert left(one_parts) == []


@pytest.mark.any_stack
def test_names_of_encodings_that_there_are_not_are_not_remembered(one_client: TestClient) -> None:
    remembered = encodings._cache  # where Python keeps what it was asked for
    before = len(remembered)
    for number in range(20):
        assert upload(one_client, encoding=f"klingon_{number}").status_code == 422
        assert reread(one_client, "iris", encoding=f"klingon_{number}" * 1_000).status_code == 422
    assert len(remembered) == before


def test_every_encoding_that_is_taken_is_taken_by_its_name_again() -> None:
    taken = [reading_options({"encoding": name}).encoding for name in ("UTF8", "latin-1", "Windows-1252", "utf_16")]
    assert taken == ["utf-8", "iso8859-1", "cp1252", "utf-16"]
    assert [reading_options({"encoding": str(name)}).encoding for name in taken] == taken


TOGETHER: dict[str, tuple[dict[str, str], str]] = {
    "names and a line of them": ({"names": '["a", "b"]', "header": "1"}, "names"),
    "one mark for both": ({"decimal": ",", "thousands": ","}, "thousands"),
    "a mark that is the delimiter": ({"delimiter": ",", "decimal": ","}, "decimal"),
}


@pytest.mark.any_stack
@pytest.mark.parametrize(("fields", "place"), TOGETHER.values(), ids=TOGETHER.keys())
def test_fields_that_cannot_be_right_together_are_refused(
    one_client: TestClient, fields: dict[str, Any], place: str
) -> None:
    problem = upload(one_client, **fields).json()
    assert [error["loc"] for error in problem["errors"]] == [["body", place]]


@pytest.mark.any_stack
def test_several_wrong_fields_are_told_at_once(one_client: TestClient) -> None:
    problem = upload(one_client, encoding="klingon", header="0", kinds='{"a": "b", "c": "d"}').json()
    assert [error["loc"][1] for error in problem["errors"]] == ["encoding", "header", "kinds", "kinds"]
    assert problem["problem_count"] == 4


@pytest.mark.any_stack
def test_a_field_that_is_misspelt_is_refused_with_a_suggestion(one_client: TestClient) -> None:
    problem = upload(one_client, delimeter=";").json()
    assert problem["did_you_mean"] == "delimiter"
    assert set(problem["available"]) == {"file", "name", "description", "team", *READING_FIELDS}


def test_the_form_has_the_fields_that_options_have() -> None:
    assert list(READING_FIELDS) == list(ReadingOptions.model_fields)


def test_empty_fields_count_as_left_out(client: TestClient, parts: Parts) -> None:
    answer = upload(client, **EMPTY, name="", description="")
    assert answer.status_code == 201
    with parts.database.read() as session:
        assert session.scalars(select(DatasetVersionRow.options)).all() == [{}]
    assert upload(client).status_code == 200


def test_a_dry_run_tells_all_that_an_upload_would_and_stores_nothing(client: TestClient, parts: Parts) -> None:
    looked = upload(client, dry_run=True, description="sizes")
    assert (looked.status_code, kept(parts), left(parts)) == (200, (0, 0, []), [])
    told, made = looked.json(), upload(client, description="sizes").json()
    assert told.pop("preview") == {"columns": ["size", "word"], "rows": [[1, "x"], [2, "y"]]}
    assert told.pop("known_version") is None
    assert told.items() <= made.items()
    assert made.keys() - told.keys() == {"version", "location", "created_at", "updated_at", "links", "owner", "team"}


def test_a_dry_run_neither_changes_nor_brings_back_what_is_there(client: TestClient, parts: Parts) -> None:
    upload(client, description="sizes")
    client.delete("/datasets/data", params={"archive": True}).raise_for_status()
    before = kept(parts)
    assert upload(client, dry_run=True, description="words").json()["known_version"] == 1
    assert upload(client, TABLE + b"3,z\n", dry_run=True).json()["known_version"] is None
    assert client.get("/datasets/data").status_code == 404
    assert kept(parts) == before
    assert upload(client).json()["description"] == "sizes"


@pytest.mark.any_stack
def test_a_dry_run_shows_the_first_rows_of_a_long_table(client: TestClient) -> None:
    rows = client.post(
        "/datasets/upload?dry_run=true", files={"file": ("n.csv", b"n\n" + b"".join(b"%d\n" % n for n in range(90)))}
    ).json()["preview"]["rows"]
    assert rows == [[n] for n in range(20)]


@pytest.mark.any_stack
@pytest.mark.parametrize("content", [b"a,a\n1,2\n", b"a,b\n", b"\x89PNG\r\n\x1a\n\0\0"])
def test_a_dry_run_refuses_what_an_upload_refuses(one_client: TestClient, one_parts: Parts, content: bytes) -> None:
    before = kept(one_parts)
    looked, sent = upload(one_client, content, dry_run=True), upload(one_client, content)
    assert looked.status_code == sent.status_code == 422
    assert {**looked.json(), "request_id": ""} == {**sent.json(), "request_id": ""}
    assert (kept(one_parts), left(one_parts)) == (before, [])


def of_an_older_release(parts: Parts) -> None:
    """Make all versions such as an older release took."""
    with parts.database.write() as session:
        for version in session.scalars(select(DatasetVersionRow)):
            version.reading = {**version.reading, "rules": 1}


def test_a_version_of_an_older_release_is_read_anew_by_the_rules_of_today(client: TestClient, parts: Parts) -> None:
    upload(client, description="sizes")
    of_an_older_release(parts)
    # The bytes alone say nothing new.
    assert (upload(client).status_code, upload(client).json()["reading"]["rules"]) == (200, 1)
    looked = reread(client, dry_run=True)
    assert (looked.status_code, looked.json()["known_version"], kept(parts)[1]) == (200, None, 1)
    assert looked.json()["preview"]["rows"] == [[1, "x"], [2, "y"]]
    made = reread(client)
    assert (made.status_code, made.json()["version"], made.json()["reading"]["rules"]) == (201, 2, 3)
    assert (made.json()["description"], made.headers["location"]) == ("sizes", "/datasets/data")
    assert client.get("/datasets/data").json() == made.json()
    again = reread(client)
    assert (again.status_code, again.json()) == (200, made.json())
    assert reread(client, dry_run=True).json()["known_version"] == 2
    # Nothing that the body says is also said by no body.
    assert client.post("/datasets/data/reread").status_code == 200
    assert left(parts) == []


def test_the_version_to_read_can_be_named(client: TestClient) -> None:
    upload(client)
    upload(client, b"size,word\n9,z\n")
    assert client.get("/datasets/data/preview").json()["rows"] == [[9, "z"]]
    made = reread(client, version=1)
    assert (made.status_code, made.json()["version"], made.json()["rows"]) == (201, 3, 2)
    assert client.get("/datasets/data/preview").json()["rows"] == [[1, "x"], [2, "y"]]


REREAD_REFUSED: dict[str, tuple[str, dict[str, Any], int, str, str]] = {
    "no dataset": ("dat", {}, 404, "unknown_dataset", "Did you mean 'data'?"),
    "no version": ("data", {"version": 2}, 404, "unknown_dataset_version", "its newest is 1"),
    "a version in words": ("data", {"version": "1"}, 422, "invalid_request", "whole number"),
    "a field too many": ("data", {"delimeter": ";"}, 422, "invalid_request", "Did you mean 'delimiter'?"),
    "no encoding": ("data", {"encoding": "klingon"}, 422, "invalid_request", "encoding of text"),
    "no line": ("data", {"header": True}, 422, "invalid_request", "number of the line"),
    "no kind": ("data", {"kinds": {"word": "x"}}, 422, "invalid_request", "kinds.word"),
    "names twice": ("data", {"names": ["a", "a"]}, 422, "invalid_request", "twice"),
}


@pytest.mark.parametrize(("name", "body", "status", "code", "hint"), REREAD_REFUSED.values(), ids=REREAD_REFUSED)
@pytest.mark.parametrize("dry_run", [False, True])
def test_what_cannot_be_read_anew_is_refused_and_changes_nothing(
    known: TestClient,
    one_parts: Parts,
    *,
    dry_run: bool,
    name: str,
    body: dict[str, Any],
    status: int,
    code: str,
    hint: str,
) -> None:
    before = kept(one_parts)
    answer = reread(known, name, dry_run=dry_run, **body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert hint in answer.json()["detail"]
    assert (kept(one_parts), left(one_parts)) == (before, [])


def test_an_archived_dataset_is_not_read_anew(client: TestClient, parts: Parts) -> None:
    upload(client)
    client.delete("/datasets/data", params={"archive": True}).raise_for_status()
    assert (reread(client).status_code, kept(parts)[1]) == (404, 1)


MARKS = {"comma": ",", "Point": ".", "blank": " ", "space": " ", " ": " ", "apostrophe": "'", "none": "none"}


def test_marks_may_be_written_as_words() -> None:
    for word, mark in MARKS.items():
        assert reading_options({"thousands": word}).thousands == mark
    assert [reading_options({"delimiter": each}).delimiter for each in ("tab", "\t", "pipe", ";")] == [*"\t\t|;"]
    assert reading_options({"decimal": "comma"}).decimal == ","


PRICES = b"preis;plz;ort\n1.234;01067;NA\n2.500;04109;Halle\n3.750;99084;Jena\n"


@pytest.mark.any_stack
def test_what_an_upload_says_is_how_its_file_is_read(client: TestClient) -> None:
    kinds = {"plz": "category"}
    made = upload(
        client, PRICES, delimiter=";", decimal=",", thousands=".", gap_words="[]", kinds=json.dumps(kinds)
    ).json()
    reading = made["reading"]
    assert [reading[name] for name in ("delimiter", "decimal", "thousands", "gap_words", "kinds")] == [
        *(";", ",", ".", [], kinds)
    ]
    price, code, town = made["columns"]
    assert (price["kind"], price["min"], price["max"]) == ("integer", 1234, 3750)
    assert (code["kind"], town["missing"]) == ("category", 0)
    assert client.get("/datasets/data/preview").json()["rows"][0] == [1234, "01067", "NA"]


def test_the_same_bytes_read_otherwise_are_a_new_version_and_read_alike_are_not(client: TestClient) -> None:
    assert upload(client, PRICES, gap_words="[]").json()["version"] == 1
    # Without options any reading will do.
    assert (upload(client, PRICES).status_code, upload(client, PRICES).json()["version"]) == (200, 1)
    again = upload(client, PRICES, gap_words="[]", delimiter=";")
    assert (again.status_code, again.json()["version"]) == (200, 1)
    assert upload(client, PRICES, dry_run=True, gap_words='["Jena"]').json()["known_version"] is None
    made = upload(client, PRICES, gap_words='["Jena"]')
    assert (made.status_code, made.json()["version"], made.json()["columns"][2]["missing"]) == (201, 2, 1)
    assert upload(client, PRICES, dry_run=True, gap_words='["Jena"]').json()["known_version"] == 2


@pytest.mark.any_stack
def test_a_file_without_names_is_given_some(client: TestClient) -> None:
    made = upload(client, b"1,Rome\n2,Oslo\n", header="none", names='["rank", "city"]').json()
    assert ([column["name"] for column in made["columns"]], made["rows"]) == (["rank", "city"], 2)
    assert client.get("/datasets/data/preview").json()["rows"] == [[1, "Rome"], [2, "Oslo"]]


def test_a_version_is_read_anew_as_the_body_says(client: TestClient, parts: Parts) -> None:
    upload(client, b"made by hand,2026\nrank,city\n1,Rome\n2,Oslo\n", header="2")
    looked = reread(client, dry_run=True, header="none", names=["a", "b"])
    assert (looked.json()["rows"], kept(parts)[1]) == (4, 1)
    made = reread(client, header="none", names=["a", "b"], version=1)
    assert (made.status_code, made.json()["version"], made.json()["rows"]) == (201, 2, 4)
    with parts.database.read() as session:
        said = session.scalars(select(DatasetVersionRow.options).order_by(DatasetVersionRow.number)).all()
    assert said == [{"header": 2}, {"header": "none", "names": ["a", "b"]}]
    assert client.get("/datasets/data/preview?version=1").json()["columns"] == ["rank", "city"]


MISFITS: dict[str, tuple[dict[str, Any], str]] = {
    "too few names": ({"names": ["a"]}, "'names' has 1 names, but the rows have 2 cells"),
    "too many names": ({"names": ["a", "b", "c"]}, "'names' has 3 names"),
    "a line beyond the file": ({"header": 99}, "Line 99 holds no names"),
    "a column that there is not": ({"kinds": {"wrod": "category"}}, "Did you mean 'word'?"),
    "a kind that does not fit": ({"kinds": {"word": "integer"}}, "Column 'word' is not integer"),
}


@pytest.mark.any_stack
@pytest.mark.parametrize(("said", "hint"), MISFITS.values(), ids=MISFITS)
@pytest.mark.parametrize("dry_run", [False, True])
def test_what_does_not_fit_the_file_is_refused_and_changes_nothing(
    known: TestClient, one_parts: Parts, *, dry_run: bool, said: dict[str, Any], hint: str
) -> None:
    before = kept(one_parts)
    form: dict[str, Any] = {name: json.dumps(value) for name, value in said.items()}
    new, again = (upload(known, dry_run=dry_run, name=name, **form) for name in ("other", "data"))
    for answer in (new, again, reread(known, dry_run=dry_run, **said)):
        assert (answer.status_code, answer.json()["code"]) == (422, "reading_refused"), answer.text
        assert hint in answer.json()["detail"]
    assert (kept(one_parts), left(one_parts)) == (before, [])


@pytest.mark.any_stack
@pytest.mark.parametrize(("length", "shown"), [(3_000, 1), (20_000, 0)])
def test_rows_too_long_to_show_are_no_reason_to_refuse_a_dry_run(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, *, length: int, shown: int
) -> None:
    monkeypatch.setattr(reader, "_MOST_ANSWER_BYTES", 10_000)
    preview = upload(client, b"n,text\n" + b"1,%s\n" % (b"x" * length) * 9, dry_run=True).json()["preview"]
    assert (preview["columns"], len(preview["rows"])) == (["n", "text"], shown)
