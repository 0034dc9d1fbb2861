"""The table of docs/compiled-models.md against the estimators that can be trained."""

import re
from collections import defaultdict

from shared.compiled.making.making import compilable_estimators
from shared.estimators.catalogue import all_estimators
from tests.support.documented import ROOT

PAGE = (ROOT / "docs" / "compiled-models.md").read_text()
ROW = re.compile(r"^\| `(\w+)` \| (.*?) ?\| (.*?) ?\|$", re.MULTILINE)


def names(cell: str) -> list[str]:
    return re.findall(r"`(\w+)`", cell)


def test_the_page_tells_of_every_estimator_whether_it_is_compiled() -> None:
    expected: dict[str, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for estimator in all_estimators():
        expected[estimator.module][0 if estimator.name in compilable_estimators() else 1].append(estimator.name)
    told = {module: (names(compiled), names(others)) for module, compiled, others in ROW.findall(PAGE)}
    assert told == dict(expected)


def test_every_class_that_is_compiled_can_be_trained() -> None:
    assert compilable_estimators() <= {estimator.name for estimator in all_estimators()}
