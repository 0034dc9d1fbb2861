"""The table of the libraries beside scikit-learn, against what each library takes."""

import inspect
import json
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cli.doctor.examination import CheckState
from cli.doctor.libraries import check_libraries
from shared.errors import InvalidParameter, LibraryNotInstalled, UnknownEstimator, UnknownParameter
from shared.estimators.catalogue import LIBRARY_TABLE, Estimator, all_estimators, find_estimator
from shared.estimators.libraries.generator import rendered
from shared.estimators.libraries.installed import LIBRARIES, release_of
from shared.estimators.parameters import problems_of_parameters
from shared.training.checks import libraries
from shared.training.checks.training import problems_of
from shared.training.recipe import build_estimator
from tests.support.training_tables import numeric_classes, profile_of, spec_of, trained

ALL = [estimator for estimator in all_estimators() if estimator.library is not None]
INPUTS = np.random.default_rng(0).normal(size=(120, 4))
TARGETS = {"classification": (INPUTS[:, 0] > 0).astype(int), "regression": np.abs(INPUTS[:, 0]) + 1}
# They are for another booster than the default one.
DART = {"normalize_type", "one_drop", "rate_drop", "sample_type", "skip_drop"}


def key(estimator: Estimator) -> str:
    return estimator.key


def class_of(estimator: Estimator) -> Any:
    return getattr(import_module(estimator.module), estimator.name)


def test_the_committed_table_is_what_is_declared() -> None:
    assert LIBRARY_TABLE.read_text() == rendered(), "run `python -m shared.estimators.libraries.generator`"


def test_the_table_names_the_releases_that_are_installed() -> None:
    releases = json.loads(LIBRARY_TABLE.read_text())["releases"]
    assert releases == {library: release_of(library) for library in LIBRARIES}
    assert releases == {library: import_module(library).__version__ for library in LIBRARIES}


@pytest.mark.parametrize("estimator", ALL, ids=key)
def test_each_parameter_of_the_library_is_offered_or_refused_with_a_reason(estimator: Estimator) -> None:
    kind = class_of(estimator)
    names = {name for base in kind.__mro__ if "__init__" in vars(base) for name in inspect.signature(base).parameters}
    told = {*estimator.parameters, *estimator.refused, *estimator.aliases, "kwargs", "args"}
    assert sorted(names - told) == []
    assert estimator.parameters.keys().isdisjoint({*estimator.refused, *estimator.aliases})
    assert set(estimator.aliases.values()) <= estimator.parameters.keys() | {"loss_function"}


@pytest.mark.parametrize("estimator", ALL, ids=key)
def test_each_default_that_the_table_tells_is_the_one_of_the_library(estimator: Estimator) -> None:
    """Set and left out, they give the same model."""
    defaults = {name: parameter.default for name, parameter in estimator.parameters.items()}
    told = {name: value for name, value in defaults.items() if value is not None and name not in DART}
    # Where this is set, CatBoost no longer chooses a learning rate by the table.
    told.pop("l2_leaf_reg", None)
    rounds: dict[str, Any] = {"iterations": 30} if estimator.library == "catboost" else {}
    plain, explicit = (build_estimator(estimator, settings) for settings in (rounds, told | rounds))
    for model in (plain, explicit):
        model.fit(INPUTS, TARGETS[estimator.task])
    assert explicit.predict(INPUTS).tolist() == plain.predict(INPUTS).tolist()
    if estimator.task == "classification":
        assert explicit.predict_proba(INPUTS).tolist() == plain.predict_proba(INPUTS).tolist()


OPTIONS: list[tuple[Estimator, str, Any]] = [
    (estimator, name, option)
    for estimator in ALL
    for name, parameter in estimator.parameters.items()
    for schema in parameter.allowed
    for option in schema.get("enum", [])
    if option != parameter.default
]


@pytest.mark.parametrize(("estimator", "name", "option"), OPTIONS, ids=lambda each: getattr(each, "name", str(each)))
def test_each_option_is_one_that_the_library_takes(estimator: Estimator, name: str, option: str) -> None:
    rounds = {"iterations" if estimator.library == "catboost" else "n_estimators": 2}
    target = TARGETS[estimator.task]
    if option == "reg:logistic":
        target = target / target.max()
    needed: dict[str, Any] = {"quantile_alpha": 0.5} if option == "reg:quantileerror" else {}
    if option == "Exact":
        needed = {"loss_function": "MAE"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        build_estimator(estimator, {name: option, **rounds, **needed}).fit(INPUTS, target)


REFUSALS = {
    "threads": ("lightgbm.LGBMClassifier", "n_jobs", 4, "the server sets it from the share of cores"),
    "threads by another name": ("catboost.CatBoostRegressor", "thread_count", 4, "share of cores"),
    "a device": ("xgboost.XGBClassifier", "device", "cuda", "fitted on the processor"),
    "a file": ("catboost.CatBoostClassifier", "train_dir", "/srv", "it reaches files of the server"),
    "a snapshot": ("catboost.CatBoostClassifier", "save_snapshot", True, "it reaches files of the server"),
    "a file to read": ("lightgbm.LGBMRegressor", "forcedsplits_filename", "/etc/passwd", "files of the server"),
    "the network": ("lightgbm.LGBMRegressor", "machines", "10.0.0.1:1", "in one process"),
    "code": ("xgboost.XGBRegressor", "callbacks", [], "it would run code of the request"),
    "rows to watch": ("xgboost.XGBRegressor", "early_stopping_rounds", 5, "rows of its own to watch"),
    "an objective of classes": ("xgboost.XGBClassifier", "objective", "binary:hinge", "it follows from the labels"),
}


@pytest.mark.parametrize(("name", "parameter", "value", "said"), REFUSALS.values(), ids=REFUSALS.keys())
def test_what_no_request_may_set_is_refused_with_the_reason(name: str, parameter: str, value: Any, said: str) -> None:
    (problem,) = problems_of_parameters(find_estimator(*name.split(".")), {parameter: value})
    assert isinstance(problem, InvalidParameter)
    assert said in problem.detail
    assert problem.detail.endswith("Leave it out.")


def test_another_name_of_a_parameter_leads_to_its_own() -> None:
    (problem,) = problems_of_parameters(find_estimator("lightgbm", "LGBMClassifier"), {"lambda_l1": 1})
    assert isinstance(problem, UnknownParameter)
    assert problem.members["did_you_mean"] == "reg_alpha"
    assert problem.detail == "'lambda_l1' is another name of 'reg_alpha' of lightgbm.LGBMClassifier. Use that one."


MISSPELT = {
    "a module inside": ("lightgbm.sklearn", "LGBMClassifier", "lightgbm.LGBMClassifier"),
    "a nickname": ("xgb", "XGBClassifier", None),
    "another case": ("catboost", "catboostclassifier", None),
    "no module": ("ensemble", "XGBRegressor", None),
}


@pytest.mark.parametrize(("module", "name", "found"), MISSPELT.values(), ids=MISSPELT.keys())
def test_a_class_of_a_library_is_found_or_suggested(module: str, name: str, found: str | None) -> None:
    if found is not None:
        assert find_estimator(module, name).key == found
        return
    with pytest.raises(UnknownEstimator) as unknown:
        find_estimator(module, name)
    assert unknown.value.members["did_you_mean"].lower().endswith(name.lower())


STATES: dict[str, tuple[str | None, str]] = {
    "not installed": (None, "needs LightGBM 4.7.0, which is not installed"),
    "another release": ("4.6.1", "needs LightGBM 4.7.0, which is there as 4.6.1"),
}


@pytest.mark.parametrize(("release", "said"), STATES.values(), ids=STATES.keys())
def test_a_library_that_is_not_here_is_told_before_there_is_a_job_and_by_the_job(
    monkeypatch: pytest.MonkeyPatch, release: str | None, said: str
) -> None:
    monkeypatch.setattr(libraries, "release_of", lambda _library: release)
    table = numeric_classes()
    (problem,) = problems_of(spec_of("lightgbm.LGBMClassifier"), columns=profile_of(table), rows=len(table))
    assert isinstance(problem, LibraryNotInstalled)
    assert f"{said} with the API, which serves what is trained." in problem.detail
    assert "EXTRAS=boosting" in problem.detail
    inner = {"module": "lightgbm", "class": "LGBMClassifier"}
    with pytest.raises(LibraryNotInstalled, match=f"{said} with the worker that ran this job"):
        trained("ensemble.BaggingClassifier", table, params={"estimator": inner})


def test_the_doctor_tells_of_a_library_whose_compiled_part_cannot_be_loaded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert check_libraries().state is CheckState.OK
    for name, text in {
        f"lightgbm-{release_of('lightgbm')}.dist-info/METADATA": "Name: lightgbm\n",
        f"lightgbm-{release_of('lightgbm')}.dist-info/RECORD": "lightgbm/lib_lightgbm.so,,\n",
        "lightgbm/lib_lightgbm.so": "no such thing",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    found = check_libraries()
    assert found.state is CheckState.BROKEN
    assert "; LightGBM cannot be loaded: OSError: " in found.found
    assert "apt install libgomp1" in found.hint


def test_a_round_may_grow_several_trees_and_all_of_them_are_work() -> None:
    table, many = numeric_classes(), {"n_estimators": 10_000, "num_parallel_tree": 100}
    spec = spec_of("xgboost.XGBClassifier", params=many)
    (problem,) = problems_of(spec, columns=profile_of(table), rows=1_000_000)
    assert "more work than one job may do" in problem.detail
