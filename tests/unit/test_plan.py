"""What is done to a column, by what its profile says of it."""

import pytest

from shared.estimators.catalogue import find_estimator
from shared.tables.columns import Column, ColumnKind
from shared.training.plan import plan_of
from shared.training.treatment import Treatment
from tests.support.training_tables import spec_of

LOGISTIC = "linear_model.LogisticRegression"
WORD = Column(name="word", kind=ColumnKind.CATEGORY, missing=0, unique=3, examples=[])


def column(kind: str, *, name: str = "x", unique: int, missing: int = 0) -> Column:
    return Column(name=name, kind=ColumnKind(kind), missing=missing, unique=unique, examples=[])


def treated(found: Column, *, rows: int = 100, estimator: str = LOGISTIC, asked: bool = False) -> Treatment:
    """The treatment of a column beside one of words: tables of numbers alone are used as they are."""
    spec = spec_of(estimator, features=[found.name, "word"] if asked else None)
    target = column("category", name="target", unique=2)
    plan = plan_of(spec, find_estimator(*estimator.split(".")), columns=[found, WORD, target], rows=rows)
    return plan.treatments[0]


USED = {
    "a number of which some are equal": column("number", unique=99),
    "a number of which none are equal": column("number", unique=100, name="id"),
    "an integer of which none are equal, with a name that says nothing": column("integer", unique=100, name="width"),
    "an integer with the name of an identifier, of which two are equal": column("integer", unique=99, name="user_id"),
    "a constant with gaps, which may tell something": column("number", unique=1, missing=1),
    "a category of which none are equal": column("category", unique=100, name="id"),
}
LEFT_OUT = {
    "a column without values": (column("number", unique=0, missing=100), "it has no values"),
    "a constant": (column("number", unique=1), "the same value in every row"),
    "an identifier": (column("integer", unique=100, name="user_id"), "it identifies the row"),
    "an identifier with gaps": (column("integer", unique=60, missing=40, name="ID"), "it identifies the row"),
    "text of which two are equal": (column("text", unique=99), "it is text, 99 different texts in 100 rows, which"),
    "text of which none are equal": (column("text", unique=100), "its own text"),
    "text of which none are equal, with gaps": (column("text", unique=60, missing=40), "its own text"),
}


@pytest.mark.parametrize("found", USED.values(), ids=USED)
def test_a_column_that_may_tell_something_is_used(found: Column) -> None:
    assert treated(found).role != "left_out"


@pytest.mark.parametrize(("found", "reason"), LEFT_OUT.values(), ids=LEFT_OUT)
def test_a_column_that_tells_nothing_is_left_out_with_its_reason(found: Column, reason: str) -> None:
    left = treated(found)
    assert (left.role, left.treatment.startswith("left out: ")) == ("left_out", True)
    assert reason in left.treatment


@pytest.mark.parametrize(
    ("examples", "said"),
    [
        (["0.5", "#DIV/0!"], "it holds numbers such as '0.5', but also '#DIV/0!', which is not read as one: correct"),
        (["1,5", "-2", "007"], "it holds numbers such as '1,5', but also '007', which is not read as one: correct"),
        (["1e5", "2.5"], "it holds values such as '1e5', but not all of it is read as numbers: write all"),
        (
            ["31.12.2025", "1.1.2026"],
            "such as '31.12.2025', which are not read as dates: write its dates",
        ),
        (["12/31/2025 10:30"], "such as '12/31/2025 10:30', which are not read as dates"),
    ],
)
def test_a_column_of_text_that_looks_like_numbers_or_dates_is_told_what_stands_in_the_way(
    examples: list[str], said: str
) -> None:
    for unique in (99, 100):
        found = column("text", unique=unique).model_copy(update={"examples": examples})
        assert said in treated(found).treatment
    plain = column("text", unique=99).model_copy(update={"examples": ["all is well", "10.0.0.1", "0049 30"]})
    assert treated(plain).treatment.endswith("which nothing here reads")


def test_what_is_said_of_a_column_is_true_where_not_all_its_values_were_counted() -> None:
    text = treated(column("text", unique=1_371), rows=3_000)
    assert "1,371 different texts in 3,000 rows" in text.treatment
    many = treated(column("text", unique=10_000), rows=30_000)
    assert "at least 10,000 different texts in 30,000 rows" in many.treatment
    number = treated(column("integer", unique=10_000, name="user_id"), rows=30_000)
    assert "the many values of an identifier" in number.treatment
    assert treated(column("integer", unique=2_000, name="user_id"), rows=3_000).role == "number"


@pytest.mark.parametrize("found", [found for found, _ in LEFT_OUT.values() if found.unique], ids=list(LEFT_OUT)[1:])
def test_a_column_that_is_asked_for_is_used_if_it_has_a_value(found: Column) -> None:
    assert treated(found, asked=True).role != "left_out"


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("id", True),
        ("Customer ID", True),
        ("row_number", True),
        ("Unnamed: 0", True),
        ("index", True),
        ("uuid", True),
        ("paid", False),
        ("grid", False),
        ("id_of_shop", False),
        ("keys", False),
    ],
)
def test_a_name_says_whether_a_column_identifies_rows(name: str, is_one: bool) -> None:
    assert (treated(column("integer", unique=100, name=name)).role == "left_out") is is_one


@pytest.mark.parametrize(("unique", "role"), [(9_999, "number"), (10_000, "left_out")])
def test_a_profile_that_stops_counting_has_seen_no_two_equal_values(unique: int, role: str) -> None:
    assert treated(column("integer", unique=unique, name="id"), rows=50_000).role == role


def test_more_than_fifty_categories_are_told_to_be_put_together() -> None:
    told = "the rarest beyond 50 together"
    assert told not in treated(column("category", unique=50), rows=1_000).treatment
    assert told in treated(column("category", unique=51), rows=1_000).treatment
