"""Fills in what a request for a search leaves open, before the job is accepted: what is usual may change later."""

from shared.errors import UnknownEstimator
from shared.estimators.catalogue import find_estimator
from shared.evaluation.metric_names import MAIN
from shared.training.search.placing import NoSuchPlace, parameter_at
from shared.training.search.space import (
    Choices,
    Range,
    Space,
    UnreadableSpace,
    as_grid,
    read_entry,
    size_of,
    written_space,
)
from shared.training.search.usual_spaces import USUAL
from shared.training.spec import EstimatorChoice, SearchChoice

USUAL_TRIALS = 30
# A grid that nobody has written has so many parameters.
_GRID_NAMES = 2


def settled(search: SearchChoice, model: EstimatorChoice) -> SearchChoice:
    """The same with the usual space, metric and number of trials; the checks refuse what cannot be read."""
    try:
        estimator = find_estimator(model.module, model.class_)
    except UnknownEstimator:
        return search
    written, usual = search.space, USUAL.get(estimator.key)
    if written is None and usual is not None:
        # What the request sets itself is not sought.
        written = {name: entry for name, entry in usual.items() if name not in model.params}
    trials = search.trials
    if written is not None:
        try:
            space = read_space(written, model)
        except (UnreadableSpace, NoSuchPlace):
            space = None
        if space is not None and search.method == "grid":
            if search.space is None:
                space = as_grid(dict(list(space.items())[:_GRID_NAMES]))
            trials = size_of(space) if trials is None else trials
        written = written if space is None else written_space(space)
    trials = USUAL_TRIALS if trials is None else trials
    return search.model_copy(
        update={
            "space": written,
            "trials": trials,
            "metric": MAIN[estimator.task] if search.metric is None else search.metric,
        }
    )


def read_space(written: dict[str, object], model: EstimatorChoice) -> Space:
    """All entries of a space; of those ranges that do not say `int`, the parameters decide it.

    Raises:
        UnreadableSpace, NoSuchPlace: as `read_named`.
    """
    return {name: read_named(name, entry, model) for name, entry in written.items()}


def read_named(name: str, written: object, model: EstimatorChoice) -> Choices | Range:
    """One entry of a space, for the parameter that its name leads to; it decides `int` where the range leaves it open.

    Raises:
        UnreadableSpace: when it is of no form that is known.
        NoSuchPlace: when its name leads to no model.
    """
    entry, parameter = read_entry(name, written), parameter_at(model, name)
    said = isinstance(written, dict) and "int" in written
    if not isinstance(entry, Range) or said or parameter is None:
        return entry
    kinds = {schema.get("type") for schema in parameter.allowed if isinstance(schema.get("type"), str)}
    low, high = entry.low, entry.high
    if kinds & {"integer", "number"} == {"number"}:
        return Range(float(low), float(high), entry.log)
    if kinds & {"integer", "number"} == {"integer"} and low == int(low) and high == int(high):
        return Range(int(low), int(high), entry.log, whole=True)
    return entry
