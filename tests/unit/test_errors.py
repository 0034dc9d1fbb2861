"""The tree of errors is complete, and nothing is in it twice."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import shared.errors
from shared.errors import PlatformError, closest, did_you_mean, leaves
from tests.support.searches import counted_searches

ROOT = Path(__file__).parents[2]
LEAVES = sorted({leaf for leaf in leaves() if leaf.__module__.startswith("shared.")}, key=lambda leaf: leaf.__name__)
BRANCHES = {parent for leaf in LEAVES for parent in leaf.__mro__[1:]} - {
    PlatformError,
    Exception,
    BaseException,
    object,
}


def classes() -> Iterator[tuple[str, str, list[str]]]:
    """File, name and bases of every class of the project."""
    for package in ("api", "worker", "cli", "shared"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ClassDef):
                    yield str(path.relative_to(ROOT)), node.name, [ast.unparse(base) for base in node.bases]


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.__name__)
def test_an_error_explains_itself(leaf: type[PlatformError]) -> None:
    explanation = leaf.__dict__.get("__doc__")
    assert explanation
    assert explanation.rstrip().endswith(".")
    assert leaf("Another sentence.").detail == "Another sentence."


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.__name__)
def test_an_error_says_how_to_fix_it_beside_what_it_means(leaf: type[PlatformError]) -> None:
    explanation = " ".join((leaf.__doc__ or "").split())
    assert "hint" in vars(leaf), "a hint of its own"
    assert re.fullmatch(r"(?s)[A-Z`].{15,}\.", leaf.hint)
    assert leaf.hint not in explanation
    assert leaf().detail == f"{explanation} {leaf.hint}"


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.__name__)
def test_a_code_is_the_name_in_snake_case(leaf: type[PlatformError]) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", leaf.code)
    assert leaf.code.replace("_", "") == leaf.__name__.lower()
    assert leaf.title.replace(" ", "_").lower() == leaf.code


def test_codes_are_unique() -> None:
    assert [code for code, count in Counter(leaf.code for leaf in LEAVES).items() if count > 1] == []


def test_every_error_is_found_in_the_package() -> None:
    for error in {*LEAVES, *BRANCHES, PlatformError}:
        assert getattr(shared.errors, error.__name__) is error


def test_errors_are_defined_once_and_only_those_of_http_outside_their_package() -> None:
    known = {error.__name__ for error in {*LEAVES, *BRANCHES, PlatformError}}
    found = [(path, name) for path, name, bases in classes() if known & set(bases)]
    assert {path for path, _ in found if not path.startswith("shared/errors/")} <= {"api/http/errors.py"}
    assert [name for name, count in Counter(name for _, name in found).items() if count > 1] == []


def test_the_drawing_has_every_branch() -> None:
    drawn = re.findall(r"^    [|`]-- (\w+)", shared.errors.__doc__ or "", re.MULTILINE)
    # Those of HTTP alone are here only where a test before has imported the API.
    branches = {each for each in PlatformError.__subclasses__() if each.__module__.startswith("shared.")}
    assert set(drawn) == {branch.__name__ for branch in branches} - {"InternalError"}


def test_several_problems_travel_with_one_error() -> None:
    problems = [{"loc": ["body", "target_column"], "msg": "There is no such column."}]
    error = shared.errors.UnknownColumn("Two problems.", errors=problems)
    assert (error.detail, error.errors, str(error)) == ("Two problems.", problems, "Two problems.")
    assert shared.errors.UnknownColumn().errors == []


def test_what_a_sentence_names_travels_in_members_of_bounded_length() -> None:
    columns = (f"column_{number}" for number in range(10_000))
    error = shared.errors.UnknownColumn("It is not there.", did_you_mean=None, available=columns)
    assert list(error.members) == ["available"]
    assert len(error.members["available"]) == shared.errors.MOST_AVAILABLE
    assert shared.errors.UnknownColumn("It is not there.", available=[]).members == {}
    large = shared.errors.BodyTooLarge(limit=0, setting="MLMINI_JSON_MAX_BYTES")
    assert large.members == {"limit": 0, "setting": "MLMINI_JSON_MAX_BYTES"}


@pytest.mark.parametrize(
    ("word", "said"),
    [("specie", " Did you mean 'species'?"), ("zzz", ""), ("", "")],
)
def test_the_closest_word_is_suggested(word: str, said: str) -> None:
    assert did_you_mean(word, ["species", "island"]) == said


@pytest.mark.parametrize(
    ("word", "known", "near"),
    [
        ("wert a", ["Wert A", "Wert B"], "Wert A"),
        ("WERT A", ["wert b", "wert a", "WERT B"], "wert a"),
        (" Wert A\t", ["Wert AA", "Wert A"], "Wert A"),
        ("STRASSE", ["Strasse 1", "straße"], "straße"),
        ("stadtt", ["Staat", "STADT"], "STADT"),
        ("wert c", ["Wert A", "Wert B"], "Wert A"),
        ("Wert", ["Wert 2", "Wert 1"], "Wert 2"),
    ],
)
def test_a_word_that_differs_in_case_or_blanks_only_is_the_closest_and_else_the_first(
    word: str, known: list[str], near: str
) -> None:
    assert closest(word, known) == near


def test_a_suggestion_takes_bounded_work_whatever_the_words_are() -> None:
    many = [f"column_{n:04}" for n in range(5_000)]
    with counted_searches() as searches:
        assert did_you_mean("column_0042x", many) == " Did you mean 'column_0042'?"
    assert searches.comparisons <= 20
    with counted_searches() as searches:
        assert did_you_mean("x" * 1_000_000, many) == ""
        assert did_you_mean("species", ["x" * 1_000_000, "species_"]) == " Did you mean 'species_'?"
    assert searches.comparisons == 1
