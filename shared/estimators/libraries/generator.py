"""Writes the table of the libraries from those that are installed: `python -m shared.estimators.libraries.generator`.

They publish no constraints of their parameters, so that these are written down here. A test compares them with what
each library takes: its names, all of which are offered or refused, and its defaults.
"""

import json
from collections.abc import Iterator
from typing import Any

from shared.estimators.catalogue import LIBRARY_TABLE
from shared.estimators.libraries import catboost, lightgbm, xgboost
from shared.estimators.libraries.declaring import DeclaredEstimator
from shared.estimators.libraries.installed import release_of

DECLARED: dict[str, tuple[DeclaredEstimator, ...]] = {
    "catboost": catboost.ESTIMATORS,
    "lightgbm": lightgbm.ESTIMATORS,
    "xgboost": xgboost.ESTIMATORS,
}


def main() -> None:
    """Write the table beside the code that declares it."""
    LIBRARY_TABLE.write_text(rendered())


def rendered() -> str:
    """The table as the text of its file."""
    releases = {library: release_of(library) for library in DECLARED}
    table = {"releases": releases, "estimators": dict(sorted(_entries()))}
    return json.dumps(table, indent=1, allow_nan=False) + "\n"


def _entries() -> Iterator[tuple[str, dict[str, Any]]]:
    for library, estimators in DECLARED.items():
        for declared in estimators:
            yield f"{library}.{declared.name}", _entry(library, declared)


def _entry(library: str, declared: DeclaredEstimator) -> dict[str, Any]:
    return {
        "library": library,
        "module": library,
        "name": declared.name,
        "task": declared.task,
        "summary": declared.summary,
        "takes_missing": True,
        "refuses_missing_with": {},
        "needs_scaling": False,
        "needs_categories": False,
        "inputs_not_negative": False,
        "marks_unlabelled": False,
        "takes_seed": True,
        "takes_weights": True,
        "gives_probabilities": declared.task == "classification",
        "probabilities_turn_with": {},
        "gives_scores": False,
        "numbers_classes": declared.numbers_classes,
        "aliases": dict(sorted(declared.aliases.items())),
        "refused": dict(sorted(declared.refused.items())),
        "parameters": {
            name: {"default": parameter.default, "allowed": list(parameter.allowed)}
            for name, parameter in sorted(declared.parameters.items())
        },
    }


if __name__ == "__main__":
    main()
