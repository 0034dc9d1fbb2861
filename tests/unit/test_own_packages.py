"""Own packages: what is found of a class, what of it requests may set, and how mistakes in it are told."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shared.errors import FitFailed, LibraryNotInstalled, WrongSettings
from shared.estimators import catalogue
from shared.estimators.catalogue import all_estimators, find_estimator, know_own
from shared.estimators.own.declared import OwnClass, declared
from shared.estimators.own.describing import NotAnEstimator, describe
from shared.settings import load_settings
from shared.training.checks import libraries
from shared.training.checks.training import problems_of
from tests.support.own_package import documented_source, install
from tests.support.training_tables import numeric_classes, profile_of, spec_of, trained

HEAD = "import numpy as np\nfrom sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin\n"
MIXED = f"""{HEAD}
class NearestMean(RegressorMixin, BaseEstimator):
    def __init__(self, whole=3, word="a", maybe=None, far=np.inf, items=(1, 2), n_jobs=None, random_state=None):
        pass
    def fit(self, X, y, sample_weight=None):
        return self
    def predict(self, X):
        return X[:, 0]
"""
FAILING = f"""{HEAD}
class OwnError(Exception):
    pass
class NearestMean(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        raise OwnError("the moon is full")
    def predict(self, X):
        return X
"""


@pytest.fixture(autouse=True)
def forgotten() -> Any:
    yield
    know_own([])


def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, module: str) -> OwnClass:
    """A module on the path; each test needs a name of its own, since Python imports one only once."""
    monkeypatch.syspath_prepend(install(tmp_path / "packages", source=source, module=module))
    return next(each for each in declared(()) if each.path.startswith(f"{module}:"))


def test_a_class_is_named_by_its_entry_point_or_by_the_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = own(tmp_path, monkeypatch, documented_source(), "own_named")
    assert found == OwnClass("own_named:NearestMean", "own-named", "1.0")
    (tmp_path / "packages" / "loose.py").write_text(documented_source())
    assert OwnClass("loose:NearestMean", "loose", "") in declared(["loose:NearestMean"])
    assert declared(["own_named:NearestMean"]).count(found) == 1


@pytest.mark.parametrize("value", ["our_models.NearestMean", "../models:Class", "a:b:c", "os:system()", "a b:c"])
def test_a_setting_that_names_no_class_stops_the_start(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLMINI_ESTIMATORS", value)
    with pytest.raises(WrongSettings, match="MLMINI_ESTIMATORS"):
        load_settings()


def test_parameters_are_of_the_kinds_of_their_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = describe(own(tmp_path, monkeypatch, MIXED, "own_mixed"))
    assert found.task == "regression"
    assert found.takes_seed
    assert found.takes_weights
    assert {name: [schema["type"] for schema in told.allowed] for name, told in found.parameters.items()} == {
        "whole": ["integer"],
        "word": ["string"],
        "maybe": ["number", "string", "boolean", "null"],
        "random_state": ["integer", "null"],
    }


def test_constraints_in_the_form_of_scikit_learn_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limited = documented_source().replace(
        "    def __init__",
        '    _parameter_constraints = {"power": [StrOptions({"low"})], "scaled": ["boolean"]}\n\n    def __init__',
    )
    source = f"from sklearn.utils._param_validation import StrOptions\n{limited}"
    found = describe(own(tmp_path, monkeypatch, source, "own_limited"))
    assert {"type": "string", "enum": ["low"]} in found.parameters["power"].allowed


NO_ESTIMATORS = {
    "a function": ("def NearestMean(): ...", "no class with 'fit'"),
    "neither": (f"{HEAD}class NearestMean(BaseEstimator):\n    fit = predict = None", "neither a classifier"),
}


@pytest.mark.parametrize(("source", "said"), NO_ESTIMATORS.values(), ids=NO_ESTIMATORS.keys())
def test_what_is_no_estimator_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, said: str) -> None:
    module = f"own_none_{len(source)}"
    with pytest.raises(NotAnEstimator, match=said):
        describe(own(tmp_path, monkeypatch, source, module))


def test_an_own_estimator_is_listed_and_stands_inside_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = describe(own(tmp_path, monkeypatch, documented_source(), "own_inner"))
    know_own([found])
    assert found in list(all_estimators())
    assert find_estimator("own_inner", "NearestMean") is found
    inner = {"module": "own_inner", "class": "NearestMean", "params": {"scaled": False}}
    result = trained("ensemble.BaggingClassifier", numeric_classes(), params={"estimator": inner})
    assert result.facts.parameters["estimator"] == inner | {"params": {"power": 2.0, "scaled": False}}
    assert result.facts.environment["own-inner"] == "1.0"
    assert np.unique(result.model.predict(numeric_classes()[["width", "height", "count"]].astype(float))).size == 3


def test_no_own_package_takes_the_place_of_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = describe(own(tmp_path, monkeypatch, documented_source(), "own_thief"))
    know_own([found.model_copy(update={"module": "naive_bayes", "name": "GaussianNB"})])
    assert find_estimator("naive_bayes", "GaussianNB").library is None
    assert all(not estimator.own for estimator in all_estimators())


def test_an_error_of_its_own_fails_the_training_in_its_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    know_own([describe(own(tmp_path, monkeypatch, FAILING, "own_failing"))])
    with pytest.raises(FitFailed, match="could not be fitted to this data: the moon is full"):
        trained("own_failing.NearestMean", numeric_classes())


def test_a_package_that_is_gone_is_told_before_there_is_a_job_and_by_the_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = describe(own(tmp_path, monkeypatch, documented_source(), "own_gone"))
    know_own([found.model_copy(update={"module": "own_never", "library": "own-never"})])
    table = numeric_classes()
    spec = spec_of("own_never.NearestMean")
    (problem,) = problems_of(spec, columns=profile_of(table), rows=len(table))
    assert isinstance(problem, LibraryNotInstalled)
    assert "needs the package own-never, which is not installed with the API" in problem.detail
    monkeypatch.setattr(libraries, "find_spec", lambda _name: object())
    with pytest.raises(
        LibraryNotInstalled, match="cannot be imported with the worker that ran this job: ModuleNotFound"
    ):
        trained("own_never.NearestMean", table)


def test_what_is_known_of_own_packages_is_replaced_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = describe(own(tmp_path, monkeypatch, documented_source(), "own_once"))
    know_own([found])
    know_own([])
    assert catalogue._own == {}
