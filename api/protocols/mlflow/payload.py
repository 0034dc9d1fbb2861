"""From the four forms of `/invocations` to rows by position or records by name."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from api.protocols.columns import check_cells, found_columns
from api.protocols.problems import MessageProblems
from api.schemas.mlflow import Invocation, SplitFrame
from shared.errors import InvalidRequest
from shared.estimators.signature import Signature
from shared.prediction.problems import InputProblems

# What pandas calls a moment that is missing.
_NO_MOMENT = "NaT"
_FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")


class Rows(NamedTuple):
    """What a model is asked for; one of the two is None."""

    features: Any
    records: Any


class AskedModel(NamedTuple):
    """What has to be known of a model to read rows for it."""

    signature: Signature
    version: int
    max_cells: int


def form_of(body: Invocation) -> str:
    """Which of the four forms a body has.

    Raises:
        InvalidRequest: when it has none, or several.
    """
    given = [form for form in _FORMS if getattr(body, form) is not None]
    if len(given) == 1:
        return given[0]
    found = f"Given are: {', '.join(given)}." if given else "None of them is given."
    raise _refused((), f"Give exactly one of {', '.join(_FORMS)}. {found}")


def rows_of_invocation(body: Invocation, model: AskedModel, warnings: list[str]) -> Rows:
    """The rows of a body; what is done to them is noted in `warnings`.

    Raises:
        InvalidRequest: when they do not have the form that they are said to have.
        InvalidInput: when the columns are not those of the model.
        BodyTooLarge: when there are more cells than one request may have.
    """
    if body.params:
        warnings.append("'params' have no effect here.")
    rows = _read(body, model, warnings)
    _take_missing_moments(rows, model.signature)
    return rows


def _read(body: Invocation, model: AskedModel, warnings: list[str]) -> Rows:
    form = form_of(body)
    given: Any = getattr(body, form)
    if form == "inputs" and isinstance(given, dict):
        return _columns(given, model, warnings)
    rows = given.data if isinstance(given, SplitFrame) else given
    if not isinstance(rows, list) or not rows:
        raise _refused((form,), f"'{form}' must have a list of at least one row.")
    if isinstance(given, SplitFrame):
        return _split(given.columns, rows, model, warnings)
    return Rows(None, rows) if form == "dataframe_records" else _listed(rows, model)


def _listed(given: list[Any], model: AskedModel) -> Rows:
    """Rows, records, or the values of a model with one column."""
    if isinstance(given[0], dict):
        return Rows(None, given)
    if len(model.signature.inputs) == 1 and not any(isinstance(value, list | dict) for value in given):
        return Rows([[value] for value in given], None)
    return Rows(given, None)


def _split(names: Any, rows: list[Any], model: AskedModel, warnings: list[str]) -> Rows:
    if names is None or (isinstance(names, list) and names == list(range(len(names)))):
        return Rows(rows, None)
    place = ("dataframe_split", "columns")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _refused(place, "'columns' must be a list of names, or 0, 1, 2, ... for the columns in their order.")
    check_cells(len(rows), max(len(names), len(model.signature.inputs)), model.max_cells)
    problems = MessageProblems()
    for name, times in Counter(names).items():
        if times > 1:
            problems.add(place, f"The column '{name}' is given {times} times. Give each once.")
    for index, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != len(names):
            has = f"has {len(row)} values" if isinstance(row, list) else "is not a list"
            problems.add(
                ("dataframe_split", "data", index), f"Row {index} {has}, but 'columns' has {len(names)} names."
            )
    problems.raise_if_any()
    places = _places(names, model, "dataframe_split", warnings)
    return Rows([[None if at is None else row[at] for at in places] for row in rows], None)


def _columns(given: dict[str, Any], model: AskedModel, warnings: list[str]) -> Rows:
    """Lists of values by column name; single values are those of one row."""
    lists = [value if isinstance(value, list) else [value] for value in given.values()]
    count = len(lists[0]) if lists else 0
    check_cells(max(count, 1), max(len(lists), len(model.signature.inputs)), model.max_cells)
    problems = MessageProblems()
    for name, values in zip(given, lists, strict=True):
        if len(values) != count:
            problems.add(("inputs", name), f"Column '{name}' has {len(values)} values, but the first one has {count}.")
    problems.raise_if_any()
    if count == 0:
        raise _refused(("inputs",), "'inputs' has no rows. Send at least one.")
    places = _places(list(given), model, "inputs", warnings)
    return Rows([[None if at is None else lists[at][row] for at in places] for row in range(count)], None)


def _places(names: Sequence[str], model: AskedModel, form: str, warnings: list[str]) -> list[int | None]:
    """Where the values of each column of the signature are; None for one that is left out."""
    problems = InputProblems("body", form)
    found = found_columns(
        model.signature, names, version=model.version, word="column", problems=problems, warnings=warnings
    )
    problems.raise_if_any()
    return [found.get(column.name) for column in model.signature.inputs]


def _take_missing_moments(rows: Rows, signature: Signature) -> None:
    """Put None where MLflow's client writes a missing date or time as a text."""
    moments = [(at, column.name) for at, column in enumerate(signature.inputs) if column.kind == "datetime"]
    for row in rows.features or []:
        for at, _ in moments if isinstance(row, list) else ():
            if at < len(row) and row[at] == _NO_MOMENT:
                row[at] = None
    for record in rows.records or []:
        for _, name in moments if isinstance(record, dict) else ():
            if record.get(name) == _NO_MOMENT:
                record[name] = None


def _refused(place: tuple[str, ...], sentence: str) -> InvalidRequest:
    return InvalidRequest(sentence, errors=[{"loc": ["body", *place], "msg": sentence}])
