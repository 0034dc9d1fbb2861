"""What is known to be wrong with a training before it runs."""

from typing import Any

import pytest

from shared.errors import MOST_HINTS, MOST_PROBLEMS, PlatformError
from shared.tables.columns import Column, ColumnKind
from shared.training.checks.training import check, problems_of
from shared.training.spec import SearchChoice, TrainingSpec
from tests.support.searches import counted_searches
from tests.support.training_tables import spec_of

FOREST = "ensemble.RandomForestClassifier"
RIDGE = "linear_model.Ridge"


def column(name: str, kind: str = "number", *, unique: int = 50, missing: int = 0, **more: Any) -> Column:
    return Column(name=name, kind=ColumnKind(kind), unique=unique, missing=missing, **{"examples": [], **more})


X, Z = column("x", min=0.5, max=9.5), column("z", "integer", min=1, max=5)


def problems(spec: TrainingSpec, *columns: Column, rows: int = 100) -> list[PlatformError]:
    return problems_of(spec, columns=list(columns), rows=rows)


def codes(spec: TrainingSpec, *columns: Column, rows: int = 100) -> list[str]:
    return [problem.code for problem in problems(spec, *columns, rows=rows)]


def test_what_can_run_has_no_problem() -> None:
    assert codes(spec_of(FOREST), X, Z, column("target", "category", unique=3)) == []
    assert codes(spec_of(RIDGE), X, Z, column("target", "integer")) == []


TARGETS = [
    (FOREST, column("target", "category", unique=3), []),
    (FOREST, column("target", "boolean", unique=2), []),
    (FOREST, column("target", "integer", unique=5, min=0, max=4), []),
    (FOREST, column("target", "number", unique=2, min=0, max=1, examples=[0.0, 1.0]), []),
    (FOREST, column("target", "number", unique=90, min=0.5, max=9.5), ["task_mismatch"]),
    (FOREST, column("target", "number", unique=3, min=0, max=1, examples=[0.0, 0.5]), ["task_mismatch"]),
    (FOREST, column("target", "integer", unique=60, min=0, max=400), ["task_mismatch"]),
    (FOREST, column("target", "text", unique=100), ["task_mismatch"]),
    (FOREST, column("target", "datetime"), ["task_mismatch"]),
    (FOREST, column("target", "category", unique=1), ["single_class"]),
    (FOREST, column("target", "category", unique=0, missing=100), ["invalid_split"]),
    (RIDGE, column("target", "number"), []),
    (RIDGE, column("target", "category", unique=3), ["task_mismatch"]),
    (RIDGE, column("target", "boolean", unique=2), ["task_mismatch"]),
    (RIDGE, column("target", "text"), ["task_mismatch"]),
    (RIDGE, column("target", "datetime"), ["task_mismatch"]),
    ("linear_model.GammaRegressor", column("target", min=-1, max=1), ["task_mismatch"]),
    ("linear_model.GammaRegressor", column("target", min=1, max=2), []),
]


@pytest.mark.parametrize(("estimator", "target", "expected"), TARGETS)
def test_the_task_must_fit_the_target(estimator: str, target: Column, expected: list[str]) -> None:
    assert codes(spec_of(estimator), X, Z, target) == expected


@pytest.mark.parametrize("estimator", [FOREST, RIDGE])
def test_a_target_of_dates_is_recommended_to_no_estimator(estimator: str) -> None:
    (problem,) = problems(spec_of(estimator), X, Z, column("target", "datetime", unique=100), rows=100)
    assert "holds dates, which are neither classes nor amounts" in problem.detail


@pytest.mark.parametrize(("components", "expected"), [(2, []), (3, ["invalid_parameter"])])
def test_a_discriminant_analysis_has_no_more_components_than_inputs(components: int, expected: list[str]) -> None:
    spec = spec_of("discriminant_analysis.LinearDiscriminantAnalysis", params={"n_components": components})
    assert codes(spec, X, Z, column("target", "category", unique=9)) == expected


def test_an_impossible_split_hides_what_the_rows_of_another_one_would_say() -> None:
    spec = spec_of("neighbors.KNeighborsClassifier", params={"n_neighbors": 90}, test_size=0.2)
    target = column("target", "category", unique=3)
    assert codes(spec, X, target) == ["invalid_parameter"]
    assert codes(spec.model_copy(update={"test_size": 25.0}), X, target) == ["invalid_split"]


def test_a_mismatch_names_the_counterpart() -> None:
    words = column("target", "category", unique=3)
    (problem,) = problems(spec_of("svm.SVR"), X, words)
    assert "Use a classifier such as 'svm.SVC'" in problem.detail or "RandomForestClassifier" in problem.detail
    (problem,) = problems(spec_of("tree.DecisionTreeRegressor"), X, words)
    assert "'tree.DecisionTreeClassifier'" in problem.detail
    assert problem.errors == [{"loc": ["body", "target_column"], "msg": problem.detail}]


SPLITS = [
    (0.2, 100, []),
    (0.999, 100, ["invalid_split"]),
    (0.99, 100, ["invalid_split"]),
    (0.98, 100, []),
    (0.5, 3, ["invalid_split"]),
    (0.2, 1, ["invalid_split"]),
    (1.0, 100, ["invalid_split"]),
    (0.0, 100, ["invalid_split"]),
    (-0.5, 100, ["invalid_split"]),
    (25.0, 100, ["invalid_split"]),
]


@pytest.mark.parametrize(("test_size", "rows", "expected"), SPLITS)
def test_both_parts_of_the_split_need_rows(test_size: float, rows: int, expected: list[str]) -> None:
    assert codes(spec_of(FOREST, test_size=test_size), X, column("target", "category", unique=2), rows=rows) == expected


def test_a_split_is_refused_with_the_numbers() -> None:
    (problem,) = problems(spec_of(FOREST, test_size=0.95), X, column("target", "boolean", unique=2, missing=90))
    assert "Of 100 rows 10 have a value in 'target'" in problem.detail
    assert "takes 10 of them to measure on and leaves 0 to fit" in problem.detail


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        (None, []),
        (["x"], []),
        (["x", "y"], ["unknown_column"]),
        (["x", "x"], ["invalid_request"]),
        (["x", "target"], ["invalid_request"]),
        ([], ["invalid_request"]),
        (["y", "y", "target"], ["unknown_column", "invalid_request", "invalid_request"]),
    ],
)
def test_features_are_columns_named_once_and_not_the_target(features: list[str] | None, expected: list[str]) -> None:
    assert codes(spec_of(FOREST, features=features), X, Z, column("target", "boolean", unique=2)) == expected


def test_a_table_with_nothing_to_learn_from_is_refused_with_the_reasons() -> None:
    useless = [column("remark", "text", unique=100), column("currency", "category", unique=1)]
    (problem,) = problems(spec_of(FOREST), *useless, column("target", "boolean", unique=2))
    assert problem.code == "unsuitable_columns"
    assert "'remark': each row has its own text" in problem.detail
    (problem,) = problems(spec_of(FOREST), column("target", "boolean", unique=2))
    assert problem.code == "unsuitable_columns"


def test_negative_inputs_are_refused_where_the_estimator_takes_none() -> None:
    target, below = column("target", "boolean", unique=2), column("below", min=-2, max=1)
    (problem,) = problems(spec_of("naive_bayes.MultinomialNB"), X, below, target)
    assert problem.code == "unsuitable_columns"
    assert "'below' goes down to -2" in problem.detail
    assert codes(spec_of("naive_bayes.MultinomialNB", features=["x"]), X, below, target) == []
    assert codes(spec_of("naive_bayes.CategoricalNB"), X, below, target) == []


@pytest.mark.parametrize(
    ("estimator", "params"),
    [
        (FOREST, {"n_estimators": 10_000}),
        ("ensemble.HistGradientBoostingClassifier", {"max_iter": 100_000}),
    ],
)
def test_more_work_than_one_job_may_do_is_refused(estimator: str, params: dict[str, Any]) -> None:
    wide = [column(f"x{number}") for number in range(100)]
    target = column("target", "boolean", unique=2)
    (problem,) = problems(spec_of(estimator, params=params), *wide, target, rows=1_000_000)
    assert problem.code == "invalid_parameter"
    assert "At most 1,000 are allowed for this table" in problem.detail
    assert codes(spec_of(estimator), *wide, target, rows=1_000_000) == []


def test_every_problem_is_found_and_the_first_is_raised_with_all_places() -> None:
    spec = spec_of(FOREST, params={"n_estimators": -1, "nothing": 1}, features=["y"], test_size=3.0)
    columns = [X, column("target", "category", unique=1)]
    assert codes(spec, *columns) == [
        "invalid_parameter",
        "unknown_parameter",
        "unknown_column",
        "invalid_split",
        "single_class",
    ]
    with pytest.raises(PlatformError) as refused:
        check(spec, columns=columns, rows=100)
    assert refused.value.code == "invalid_parameter"
    assert refused.value.detail.endswith("(4 more in 'errors'.)")
    assert len(refused.value.errors) == 5


@pytest.mark.parametrize(("target", "end"), [("target", "not -1. The default is 100."), ("y", "(1 more in 'errors'.)")])
def test_the_first_problem_says_how_many_more_there_are(target: str, end: str) -> None:
    spec = spec_of(FOREST, params={"n_estimators": -1}, target_column=target)
    with pytest.raises(PlatformError) as refused:
        check(spec, columns=[X, column("target", "category", unique=2)], rows=100)
    assert refused.value.detail.endswith(end)


@pytest.mark.parametrize(("count", "end"), [(20, "c18, c19."), (21, "c18, c19, ….")])
def test_of_the_columns_of_a_table_twenty_are_named(count: int, end: str) -> None:
    columns = [column(f"c{number}") for number in range(count)]
    (problem,) = problems(spec_of(FOREST, target_column="salary"), *columns)
    assert problem.detail.endswith(end)


def test_an_unknown_estimator_does_not_hide_what_is_wrong_with_the_columns() -> None:
    assert codes(spec_of("svm.SVM", target_column="y"), X) == ["unknown_estimator", "unknown_column"]


@pytest.mark.parametrize(
    ("name", "kind", "left_out"),
    [
        ("id", "integer", True),
        ("customer_id", "integer", True),
        ("Unnamed: 0", "integer", True),
        ("width", "integer", False),
        ("paid", "integer", False),
        ("id", "number", False),
    ],
)
def test_only_whole_numbers_with_the_name_of_an_identifier_are_left_out(name: str, kind: str, left_out: bool) -> None:
    # Beside free text, which is left out too, so that nothing is left to learn from without the column.
    text, target = column("remark", "text", unique=100), column("target", "boolean", unique=2)
    found = codes(spec_of(FOREST), column(name, kind, unique=100), text, target)
    assert found == (["unsuitable_columns"] if left_out else [])


QUOTE = column("target", "text", unique=2_512, examples=["12.5", "#DIV/0!", "13.1"])


@pytest.mark.parametrize("estimator", [FOREST, RIDGE])
def test_a_target_of_numbers_with_other_cells_is_not_sent_from_one_task_to_the_other(estimator: str) -> None:
    (problem,) = problems(spec_of(estimator), X, QUOTE, rows=3_000)
    assert problem.code == "task_mismatch"
    assert "holds numbers such as '12.5', but also '#DIV/0!', which is not read as one. Correct or empty" in (
        problem.detail
    )
    assert "2,512 different values in 3,000 rows" in problem.detail
    assert "Use a" not in problem.detail


@pytest.mark.parametrize("estimator", [FOREST, RIDGE])
@pytest.mark.parametrize("examples", [["all is well"], ["31.12.2025"], []])
def test_a_target_of_text_is_not_sent_from_one_task_to_the_other(estimator: str, examples: list[str]) -> None:
    (problem,) = problems(spec_of(estimator), X, column("target", "text", unique=100, examples=examples))
    assert "Choose a" in problem.detail
    assert "Use a" not in problem.detail


def test_a_target_of_one_word_is_not_sent_to_a_classifier() -> None:
    (problem,) = problems(spec_of(RIDGE), X, column("target", "category", unique=1))
    assert problem.detail.endswith("with one value in all rows. Choose another target.")


def test_that_no_column_is_left_is_told_in_whole_sentences() -> None:
    target = column("target", "boolean", unique=2)
    (problem,) = problems(spec_of(FOREST), target)
    assert problem.detail == "No column is left to learn from. Add columns that tell something of the target."
    (problem,) = problems(spec_of(FOREST), column("x", unique=1), column("y", "boolean", unique=0, missing=100), target)
    assert problem.detail == (
        "No column is left to learn from. 'x': it has the same value in every row; 'y': it has no values. Add "
        "columns that tell something of the target."
    )


def test_thousands_of_unknown_columns_cost_few_suggestions_and_a_hundred_sentences() -> None:
    columns = [column(f"column_{n:04}") for n in range(1_000)]
    asked = [f"column-{n:04}" for n in range(5_000)]
    with counted_searches() as searches:
        found = problems(spec_of(RIDGE, features=asked), *columns, column("target"))
        assert [problem.code for problem in found] == ["unknown_column"] * MOST_PROBLEMS
        twice = problems(spec_of(RIDGE, features=[each.name for each in columns] * 2), *columns, column("target"))
    assert searches.words <= MOST_HINTS
    assert "Did you mean 'column_0000'?" in found[0].detail
    assert [problem.code for problem in twice] == ["invalid_request"] * MOST_PROBLEMS


def test_a_radius_is_asked_for_where_none_fits_all_tables_unless_it_is_sought() -> None:
    table = (X, Z, column("target", "category", unique=3))
    for place, spec in {
        (): spec_of("neighbors.RadiusNeighborsClassifier"),
        ("params", "estimator"): spec_of(
            "ensemble.BaggingClassifier",
            params={"estimator": {"module": "neighbors", "class": "RadiusNeighborsClassifier"}},
        ),
    }.items():
        (problem,) = problems(spec, *table)
        assert problem.errors[0]["loc"] == ["body", "model", *place, "params", "radius"]
        assert "with 2 columns" in problem.detail
    assert codes(spec_of("neighbors.RadiusNeighborsClassifier", params={"radius": 1.0}), *table) == []
    search = SearchChoice(method="grid", space={"radius": [1.0, 2.0]}, trials=2, metric="accuracy")
    assert codes(spec_of("neighbors.RadiusNeighborsClassifier", search=search), *table) == []


@pytest.mark.parametrize(
    ("params", "columns", "expected"),
    [
        ({}, [X, Z], []),
        ({}, [X, column("colour", "category", unique=3)], ["invalid_parameter"]),
        ({"reg_param": 0.1}, [X, column("colour", "category", unique=3)], []),
        ({"solver": "eigen", "shrinkage": "auto"}, [X, column("colour", "category", unique=3)], []),
    ],
)
def test_a_quadratic_analysis_of_columns_that_follow_from_each_other_is_refused(
    params: dict[str, Any], columns: list[Column], expected: list[str]
) -> None:
    spec = spec_of("discriminant_analysis.QuadraticDiscriminantAnalysis", params=params)
    assert codes(spec, *columns, column("target", "category", unique=3)) == expected
