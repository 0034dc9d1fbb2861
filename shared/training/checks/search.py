"""What can be known to be wrong with a search for parameters before it runs. Imports no scikit-learn."""

import math
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from shared.errors import InvalidSearch, LibraryNotInstalled, PlatformError, closest, meant
from shared.estimators.libraries.installed import release_of
from shared.estimators.needs import gives_probabilities, gives_scores
from shared.estimators.tree import Node, read_tree
from shared.evaluation.metric_names import METRICS
from shared.training.checks.libraries import problems_of_libraries
from shared.training.checks.shape import Shape, problems_of_fit
from shared.training.checks.work import problems_of_work
from shared.training.search.placing import NoSuchPlace, with_values
from shared.training.search.settling import read_named
from shared.training.search.space import MOST_NAMES, Choices, Range, Space, UnreadableSpace, size_of
from shared.training.spec import MOST_TRIALS, EstimatorChoice, SearchChoice

# On the way from one end of a range to the other, where no round numbers are.
_SHARES = (0.137, 0.619)
# Each is looked at, with the whole model around it.
_MOST_CHOICES = 1_000
_OPTUNA = "5"
_HOW = "`make optuna` installs it on a machine, the build argument EXTRAS=optuna in an image"
# Names of scikit-learn for what has a shorter one here.
_ALSO = {
    "neg_log_loss": "log_loss",
    "neg_mean_absolute_error": "mae",
    "neg_root_mean_squared_error": "rmse",
    "roc_auc_ovr": "roc_auc",
}


class TableSize(NamedTuple):
    """What the profile tells of a table: cells of input, classes, and what is fitted, unless nothing can be."""

    cells: int
    classes: int
    shape: Shape | None = None


def problems_of_search(
    search: SearchChoice, model: EstimatorChoice, tree: Node, size: TableSize
) -> Iterator[PlatformError]:
    """Everything: the method, how much, by what it is measured, and each value that the space allows."""
    if search.method == "optuna":
        yield from problems_of_optuna()
    yield from _problems_of_amounts(search)
    yield from _problems_of_metric(search, tree, size.classes)
    if search.space is None:
        sentence = (
            f"There is no usual space for {tree.estimator.key}. Write one as 'search.space': by the name of a "
            'parameter a list of choices, such as {"a": [1, 2, 3]}, or a range, such as '
            '{"a": {"low": 0.01, "high": 10, "log": true}}.'
        )
        yield _problem(sentence, "space")
        return
    yield from _problems_of_space(search, model, size)


def problems_of_time(time_limit: float | None, seconds: float) -> Iterator[InvalidSearch]:
    """Whether the time of a search is within the `seconds` that its job may take."""
    if time_limit is not None and time_limit > seconds:
        sentence = (
            f"'search.time_limit' is {time_limit:g} s, and the whole job may take {seconds:g} s, of which the "
            "last fit needs some, too. Choose less, or a higher 'limits.seconds'."
        )
        yield _problem(sentence, "time_limit")


def problems_of_optuna(*, where: str = "with the API and with the workers") -> Iterator[LibraryNotInstalled]:
    """Whether what the method `optuna` needs is installed here."""
    found = release_of("optuna")
    if found is None or found.partition(".")[0] != _OPTUNA:
        state = "is not installed" if found is None else f"is there as {found}"
        sentence = (
            f"The method 'optuna' needs Optuna {_OPTUNA}, which {state}. Install it {where} ({_HOW}), or choose "
            "'random'."
        )
        yield LibraryNotInstalled(sentence, errors=[{"loc": ["body", "search", "method"], "msg": sentence}])


def _problems_of_amounts(search: SearchChoice) -> Iterator[InvalidSearch]:
    trials, seconds = search.trials, search.time_limit
    if trials is not None and not 1 <= trials <= MOST_TRIALS and search.method != "grid":
        yield _problem(f"'search.trials' is from 1 to {MOST_TRIALS:,}, not {trials:,}.", "trials")
    if trials is not None and trials < 1 and search.method == "grid":
        yield _problem("'search.trials' is from 1 on; of a grid it may be left out, for all its points.", "trials")
    if seconds is not None and not 0 < seconds < math.inf:
        sentence = f"'search.time_limit' is a number of seconds above 0, not {seconds:g}. Leave it out to use what the "
        yield _problem(f"{sentence}job allows.", "time_limit")


def _problems_of_metric(search: SearchChoice, tree: Node, classes: int) -> Iterator[InvalidSearch]:
    metric, task = search.metric, tree.estimator.task
    if metric is None:
        return
    if metric not in METRICS[task]:
        known = [name for names in METRICS.values() for name in names]
        other = f"is no metric of {task}" if metric in known else "is no metric that is known here"
        near = _ALSO.get(metric) or closest(metric, METRICS[task])
        sentence = f"'{metric[:60]}' {other}. Choose one of {', '.join(METRICS[task])}.{meant(near)}"
        errors = [{"loc": ["body", "search", "metric"], "msg": sentence}]
        yield InvalidSearch(sentence, errors=errors, did_you_mean=near, available=METRICS[task])
        return
    turned = tree.estimator.probabilities_turn_with.keys() & (search.space or {}).keys()
    if task == "classification" and not turned and _lacks(metric, tree, classes):
        metrics = [name for name in METRICS[task] if not _lacks(name, tree, classes)]
        sentence = f"{tree.estimator.key} with these parameters gives no probabilities, which '{metric}' is made of."
        yield _problem(f"{sentence} Choose one of {', '.join(metrics)}.", "metric")


def _lacks(metric: str, tree: Node, classes: int) -> bool:
    """Whether a classifier gives nothing that the metric can be made of. Scores do for two labels."""
    if metric not in {"roc_auc", "log_loss"} or gives_probabilities(tree):
        return False
    return metric == "log_loss" or classes > 2 or not gives_scores(tree)


def _problems_of_space(search: SearchChoice, model: EstimatorChoice, size: TableSize) -> Iterator[PlatformError]:
    written = search.space or {}
    if not 1 <= len(written) <= MOST_NAMES:
        what = "is empty: write what is to be sought" if not written else f"has {len(written):,} parameters"
        yield _problem(f"'search.space' {what}; from 1 to {MOST_NAMES} parameters can be sought at once.", "space")
        return
    choices = sum(len(entry) for entry in written.values() if isinstance(entry, list))
    if choices > _MOST_CHOICES:
        sentence = f"The lists of 'search.space' have {choices:,} choices, and {_MOST_CHOICES:,} are the most."
        yield _problem(f"{sentence} Shorten them, or write ranges.", "space")
        return
    space: Space = {}
    for name, entry in written.items():
        try:
            space[name] = read_named(name, entry, model)
        except (UnreadableSpace, NoSuchPlace) as flaw:
            yield _problem(str(flaw), "space", name)
            continue
        if (problem := _first_problem(name, space[name], model, size)) is not None:
            yield problem
    if search.method == "grid" and len(space) == len(written):
        yield from _problems_of_grid(search, space)


def _first_problem(name: str, entry: Choices | Range, model: EstimatorChoice, size: TableSize) -> PlatformError | None:
    """What is wrong with the first value that cannot be; of a range, its ends and numbers between them are looked at.

    Whether two parameters go together shows when both are chosen.
    """
    values = [*entry.points(), *map(entry.number_at, _SHARES)] if isinstance(entry, Range) else entry
    for value in values:
        placed = with_values(model, {name: value})
        tree, problems = read_tree(placed.module, placed.class_, placed.params)
        if tree is not None and not problems:
            work = problems_of_work(tree, cells=size.cells, classes=size.classes)
            problems = [*problems_of_libraries(tree), *work]
            if size.shape is not None and not isinstance(entry, Range):
                problems += _problems_of_choice(name, tree, size.shape)
        for problem in problems:
            said = problem.detail
            if isinstance(entry, Range) and not entry.whole and value != int(value):
                said += ' For whole numbers, write "int": true into the range.'
            problem.detail = said
            problem.errors = [{"loc": ["body", "search", "space", name], "msg": said}]
            return problem
    return None


def _problems_of_choice(name: str, tree: Node, shape: Shape) -> Iterator[PlatformError]:
    """What keeps a choice from the columns and classes of the table; too few rows are those of a fold, known later."""
    for problem in problems_of_fit(tree, replace(shape, rows=sys.maxsize)):
        if problem.errors[0]["loc"][-1] == name.rpartition("__")[2]:
            yield problem


def _problems_of_grid(search: SearchChoice, space: Space) -> Iterator[InvalidSearch]:
    ranges = {name: entry for name, entry in space.items() if isinstance(entry, Range)}
    for name, entry in ranges.items():
        yield _problem(
            f"A grid is made of lists, and '{name[:60]}' has a range. Write the points, such as {entry.points()}, or "
            "choose the method 'random'.",
            "space",
            name,
        )
    points = None if ranges else size_of(space)
    most = min(search.trials or MOST_TRIALS, MOST_TRIALS)
    if points is not None and points > most:
        raised = (
            f", raise 'search.trials' up to {MOST_TRIALS:,}" if most < MOST_TRIALS and points <= MOST_TRIALS else ""
        )
        sentence = (
            f"The grid has {points:,} points, and {most:,} are the most that are tried. Shorten its lists{raised}"
        )
        yield _problem(f"{sentence}, or choose the method 'random'.", "space")


def _problem(sentence: str, *place: str) -> InvalidSearch:
    return InvalidSearch(sentence, errors=[{"loc": ["body", "search", *place], "msg": sentence}])
