"""How a file is read, as options of `mlmini` say it and as its answers tell it."""

import io
from typing import Any

import pytest
import typer
from rich.console import Console

from api.http.reading_fields import described_fields
from cli.actions.rereading import form_fields, reading_fields
from cli.app import app
from cli.client.errors import WrongUsage
from cli.client.fields import in_options, option_at
from cli.render.datasets import dataset_profile
from cli.render.reading import findings_text, reading_text
from shared.tables.options import ReadingOptions
from shared.tables.reading import Reading

# A command with others below it, which the type of what Typer gives does not tell.
VERBS: Any = typer.main.get_command(app).commands["datasets"].commands  # type: ignore[attr-defined]
NOTHING: dict[str, Any] = dict.fromkeys([*ReadingOptions.model_fields], None) | {"no_gap_words": False}


@pytest.mark.parametrize("verb", ["upload", "reread"])
@pytest.mark.parametrize("name", ReadingOptions.model_fields)
def test_form_body_and_options_say_the_same_of_a_field(name: str, verb: str) -> None:
    meaning = str(ReadingOptions.model_fields[name].description)
    assert described_fields()[name]["description"].startswith(meaning)
    option = next(each for each in VERBS[verb].params if option_at(["body", name]) in each.opts)
    assert option.help.startswith(in_options(meaning))


def test_no_option_says_nothing() -> None:
    assert reading_fields(NOTHING) == {}


def test_options_become_the_fields_of_a_request() -> None:
    given = {
        **NOTHING,
        "decimal": ",",
        "header": "none",
        "names": 'age,"city, country",zip',
        "gap_words": ["NA", ""],
        "kinds": ["zip=category", "a=b=datetime:dmy"],
    }
    fields = reading_fields(given)
    assert fields == {
        "decimal": ",",
        "header": "none",
        "names": ["age", "city, country", "zip"],
        "gap_words": ["NA", ""],
        "kinds": {"zip": "category", "a=b": "datetime:dmy"},
    }
    assert form_fields(fields) == {
        "decimal": ",",
        "header": "none",
        "names": '["age", "city, country", "zip"]',
        "gap_words": '["NA", ""]',
        "kinds": '{"zip": "category", "a=b": "datetime:dmy"}',
    }
    assert form_fields(reading_fields({**NOTHING, "no_gap_words": True})) == {"gap_words": "[]"}


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ({"kinds": ["zip"]}, "--kind zip is not of the form COLUMN=KIND, such as zip=category."),
        ({"kinds": ["=category"]}, "COLUMN=KIND"),
        ({"gap_words": ["NA"], "no_gap_words": True}, "Leave one of them out."),
    ],
)
def test_options_that_cannot_be_right_are_refused_before_anything_is_sent(given: dict[str, Any], hint: str) -> None:
    with pytest.raises(WrongUsage, match=hint):
        reading_fields({**NOTHING, **given})


def reading(**said: Any) -> dict[str, Any]:
    usual = {"format": "csv", "delimiter": ",", "encoding": "utf-8", "decimal": ".", "header_line": 1}
    return Reading.model_validate({**usual, **said}).model_dump(mode="json")


READINGS: list[tuple[dict[str, Any], str]] = [
    ({}, "csv with a comma between cells, utf-8"),
    ({"delimiter": " ", "compression": "gzip"}, "csv with blanks between cells, utf-8, gzip"),
    ({"delimiter": "^"}, "csv with a '^' between cells, utf-8"),
    (
        {"delimiter": ";", "decimal": ",", "thousands": "."},
        "csv with a semicolon between cells, utf-8, decimal comma, point between thousands",
    ),
    (
        {"header_line": 3, "skipped_lines": [1, 2, 4]},
        "csv with a comma between cells, utf-8, names in line 3, 3 lines skipped",
    ),
    ({"header_line": None, "names": ["a"]}, "csv with a comma between cells, utf-8, names as given"),
    (
        {"format": "xlsx", "delimiter": None, "encoding": None, "decimal": None, "sheet": "My data"},
        "xlsx, sheet My data",
    ),
    (
        {"gap_words": ["NA", " ", "x\x1b"], "kinds": {"zip": "category", "day": "datetime:dmy"}},
        (
            'csv with a comma between cells, utf-8, gap words (NA, " ", "x\\u001b"), '
            "kinds (zip: category, day: datetime:dmy)"
        ),
    ),
    (
        {"gap_words": [], "kinds": {f"c{at}": "text" for at in range(7)}},
        (
            "csv with a comma between cells, utf-8, no gap words, "
            "kinds (c0: text, c1: text, c2: text, c3: text, c4: text, 2 more)"
        ),
    ),
    ({"rules": 1}, "csv with a comma between cells, utf-8, by the rules of an older release"),
]


@pytest.mark.parametrize(("said", "line"), READINGS)
def test_a_reading_is_told_in_a_line(said: dict[str, Any], line: str) -> None:
    assert reading_text(reading(**said)) == line


FINDINGS: list[dict[str, Any]] = [
    {
        "code": "gap_word",
        "column": "city",
        "line": 3,
        "count": 2,
        "detail": "'NA' is a gap. Send 'gap_words' to keep it.",
    },
    {"code": "duplicate_rows", "column": None, "line": None, "count": 4, "detail": "4 rows are there twice."},
    {"code": "trimmed", "column": "a\x1b[31m", "line": None, "count": 1, "detail": "Blanks around words are gone."},
]


def drawn(content: Any, width: int, **how: Any) -> str:
    file = io.StringIO()
    Console(file=file, width=width, **how).print(content)
    return file.getvalue()


def test_findings_are_told_with_code_and_place_and_in_options() -> None:
    assert drawn(findings_text(FINDINGS), 200).splitlines() == [
        "gap_word (column city, line 3): 'NA' is a gap. Give --gap-word to keep it.",
        "duplicate_rows: 4 rows are there twice.",
        'trimmed (column "a\\u001b[31m"): Blanks around words are gone.',
    ]
    assert findings_text([]) is None


def test_findings_are_yellow_and_wrapped() -> None:
    lines = drawn(findings_text(FINDINGS), 40).splitlines()
    assert max(map(len, lines)) <= 40
    assert len(lines) > len(FINDINGS)
    assert "\x1b[1;33mgap_word" in drawn(findings_text(FINDINGS), 200, force_terminal=True, color_system="standard")


def test_a_dry_run_is_told_as_a_dataset_that_is_not_there_yet() -> None:
    told = {
        "name": "prices",
        "description": None,
        "format": "csv",
        "reading": reading(),
        "rows": 2,
        "size_bytes": 9,
        "sha256": "0" * 64,
        "columns": [],
        "known_version": None,
        "findings": FINDINGS,
        "preview": {"columns": ["city"], "rows": [["Rome"]]},
    }
    text = drawn(dataset_profile(told), 200)
    assert "a new one; nothing is stored yet" in text
    assert "Rome" in text
    assert "duplicate_rows: 4 rows" in text
    assert "3, which is there already" in drawn(dataset_profile({**told, "known_version": 3}), 200)
