"""The estimator table and its look-up."""

import json
import subprocess
import sys

import pytest
import sklearn

from shared.errors import UnknownEstimator
from shared.estimators import catalogue as estimators
from shared.estimators.catalogue import TABLE, Estimator, all_estimators, find_estimator
from shared.estimators.generator import rendered
from shared.estimators.parameters import problems_of_parameters, settings_of
from shared.estimators.restrictions import REFUSED
from shared.estimators.target_functions import NAMED


def test_the_committed_table_is_what_this_scikit_learn_gives() -> None:
    assert TABLE.read_text() == rendered(), "run `python -m shared.estimators.generator`"


def test_the_table_names_the_release_that_it_was_made_from() -> None:
    assert json.loads(TABLE.read_text())["scikit_learn"] == sklearn.__version__


def test_looking_up_imports_no_scikit_learn() -> None:
    program = (
        "import sys; from shared.training.checks.training import check; "
        "from shared.estimators.catalogue import find_estimator; "
        "find_estimator('svm', 'SVC'); assert not {'sklearn', 'pandas', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=TABLE.parents[2])


@pytest.mark.parametrize("module", ["ensemble", "sklearn.ensemble"])
def test_an_estimator_is_found_by_module_and_class(module: str) -> None:
    assert find_estimator(module, "RandomForestClassifier").key == "ensemble.RandomForestClassifier"


def test_the_whole_list_is_ordered_and_has_both_tasks() -> None:
    keys = [estimator.key for estimator in all_estimators()]
    assert keys == sorted(keys)
    assert len(keys) > 70
    assert {estimator.task for estimator in all_estimators()} == {"classification", "regression"}


REFUSALS = {
    "a misspelled class": ("ensemble", "RandomForrestClassifier", "Did you mean 'ensemble.RandomForestClassifier'?"),
    "another case": ("ensemble", "randomforestclassifier", "Did you mean 'ensemble.RandomForestClassifier'?"),
    "the wrong module": ("linear_model", "RandomForestClassifier", "The class is in the module 'ensemble'."),
    "a misspelled module": ("ensamble", "Nothing", "Did you mean the module 'ensemble'?"),
    "a search": ("model_selection", "GridSearchCV", "train one model for each choice"),
    "a selection of columns": ("feature_selection", "RFE", "name the columns to learn from in 'features'"),
    "one for rows without a label": ("semi_supervised", "SelfTrainingClassifier", "such rows are left out here"),
    "a threshold elsewhere": ("svm", "TunedThresholdClassifierCV", "with a 'threshold'"),
    "a fitted one": ("frozen", "FrozenEstimator", "fitted already"),
    "a chain": ("multioutput", "ClassifierChain", "several target columns"),
    "several targets": ("linear_model", "MultiTaskLasso", "several target columns"),
    "one input": ("isotonic", "IsotonicRegression", "one single input"),
    "a cluster": ("cluster", "KMeans", "neither a classifier nor a regressor"),
    "a ranker of a library": ("xgboost", "XGBRanker", "There is no estimator 'xgboost.XGBRanker'."),
    "nothing of a library": ("lgb", "Dataset", "these can be trained: lightgbm.LGBMClassifier"),
    "a library of networks": ("torch.nn", "Linear", "of the library PyTorch, which is not supported"),
    "a module of Python": ("os", "system", "GET /estimators lists"),
    "dots": ("..", "..", "There is no estimator"),
    "a dunder module": ("ensemble.__init__", "RandomForestClassifier", "in the module 'ensemble'"),
    "a private module": ("linear_model.._base", "LinearRegression", "in the module 'linear_model'"),
    "a dunder class": ("ensemble", "__class__", "There is no estimator"),
    "only dunder": ("__builtins__", "__import__", "There is no estimator"),
    "nothing": ("", "", "There is no estimator"),
    "a long name": ("e" * 500, "c" * 500, "There is no estimator"),
}


@pytest.mark.parametrize(("module", "name", "said"), REFUSALS.values(), ids=REFUSALS.keys())
def test_what_is_not_in_the_table_is_refused_with_a_hint(module: str, name: str, said: str) -> None:
    with pytest.raises(UnknownEstimator) as refused:
        find_estimator(module, name)
    assert said in refused.value.detail
    assert len(refused.value.detail) < 400
    assert refused.value.errors[0]["loc"] == ["body", "model"]


def test_each_default_passes_the_check_and_changes_nothing() -> None:
    for estimator in all_estimators():
        defaults = {name: each.default for name, each in estimator.parameters.items() if not each.required}
        assert list(problems_of_parameters(estimator, defaults)) == []
        assert settings_of(estimator, defaults) == {}


def test_no_refused_parameter_and_no_callable_is_in_the_table() -> None:
    for estimator in all_estimators():
        assert REFUSED.keys() & estimator.parameters.keys() == NAMED.get(estimator.key, {}).keys()
        for parameter in estimator.parameters.values():
            kinds = {schema["type"] for schema in parameter.allowed if "const" not in schema}
            assert kinds <= {"null", "boolean", "string", "integer", "number", "array", "object"}
            assert parameter.allowed, "a parameter that nothing can be given to has no place in the table"


def test_the_table_is_strict_json() -> None:
    def refuse(token: str) -> None:
        raise AssertionError(token)

    json.loads(TABLE.read_text(), parse_constant=refuse)
    assert estimators.TABLE.stat().st_size < 300_000


def test_every_field_of_the_table_is_read_somewhere() -> None:
    readers = [path for folder in ("api", "shared", "worker") for path in (TABLE.parents[2] / folder).rglob("*.py")]
    source = "".join(path.read_text() for path in readers if path.name not in {"generator.py", "catalogue.py"})
    source += TABLE.with_name("catalogue.py").read_text().partition("def key")[2]
    assert [name for name in Estimator.model_fields if f".{name}" not in source] == []
