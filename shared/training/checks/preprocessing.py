"""What can be known to be wrong with a choice of preprocessing. Imports no scikit-learn."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from shared.errors import MOST_PROBLEMS, InvalidRequest, PlatformError, UnknownColumn, UnsuitableColumns, closest, meant
from shared.estimators.catalogue import Estimator
from shared.tables.columns import Column, ColumnKind
from shared.training.plan import input_columns
from shared.training.preprocessing import ColumnChoice
from shared.training.spec import TrainingSpec

_SHOWN = 80
_NUMBERS = frozenset({ColumnKind.INTEGER, ColumnKind.NUMBER})
_WORDS = frozenset({ColumnKind.CATEGORY, ColumnKind.TEXT})
# What can be chosen for columns of each role, beside leaving them out.
_FIT: dict[str, frozenset[str]] = {
    "number": frozenset({"impute", "scale"}),
    "date": frozenset({"impute", "scale", "cycles"}),
    "boolean": frozenset({"impute"}),
    "category": frozenset({"impute", "encode", "kind"}),
    "text": frozenset({"text", "kind"}),
}
_IMPUTED: dict[str, frozenset[str]] = {
    "number": frozenset({"median", "mean", "most_frequent", "zero", "none"}),
    "date": frozenset({"median", "mean", "most_frequent", "zero", "none"}),
    "boolean": frozenset({"most_frequent", "none"}),
    "category": frozenset({"most_frequent"}),
}


def problems_of_preprocessing(
    spec: TrainingSpec, estimator: Estimator, columns: Sequence[Column]
) -> Iterator[PlatformError]:
    """What does not fit the columns, or the estimator; the columns of the request are known to be there."""
    if spec.preprocessing == "auto":
        return
    inputs = {column.name: column for column in input_columns(spec, columns)}
    if spec.preprocessing == "none":
        yield from _problems_of_nothing(spec, estimator, list(inputs.values()))
        return
    if estimator.needs_categories and any(not choice.drop for choice in spec.preprocessing.values()):
        yield _problem(
            f"{estimator.key} takes numbers of categories only, which the platform makes of every column. Leave "
            "columns out with 'drop', or choose another estimator."
        )
        return
    yield from islice(_problems_of_choices(spec, estimator, inputs), MOST_PROBLEMS)
    if inputs and all(name in spec.preprocessing and spec.preprocessing[name].drop for name in inputs):
        yield _problem("'preprocessing' drops every column. Keep at least one to learn from.")


def _problems_of_choices(
    spec: TrainingSpec, estimator: Estimator, inputs: Mapping[str, Column]
) -> Iterator[PlatformError]:
    assert isinstance(spec.preprocessing, dict), "a choice is by column"  # noqa: S101 - callers have looked
    for name, choice in spec.preprocessing.items():
        column = inputs.get(name)
        if column is None or name == spec.sample_weight:
            yield _not_an_input(spec, name, inputs)
        else:
            yield from _problems_of_column(spec, estimator, column, choice)


def _problems_of_nothing(spec: TrainingSpec, estimator: Estimator, inputs: Sequence[Column]) -> Iterator[PlatformError]:
    if estimator.needs_categories:
        yield _problem(f"{estimator.key} takes numbers of categories only. Leave 'preprocessing' at 'auto'.")
        return
    words = [column.name for column in inputs if column.kind in _WORDS]
    if words:
        yield _unsuitable(
            f"'preprocessing' is 'none', but {_listed(words)} {'hold' if len(words) > 1 else 'holds'} words, which no "
            "estimator takes as they are. Leave them out of 'features', or say what is to be done to them."
        )
    gaps = [column.name for column in inputs if column.missing]
    if gaps and not estimator.takes_missing_with(spec.model.params):
        yield _unsuitable(
            f"'preprocessing' is 'none', but {_listed(gaps)} {'have' if len(gaps) > 1 else 'has'} gaps, which "
            f"{estimator.name} does not take. Leave them out of 'features', or say how they are to be filled."
        )


def _problems_of_column(
    spec: TrainingSpec, estimator: Estimator, column: Column, choice: ColumnChoice
) -> Iterator[PlatformError]:
    named = {name for name in choice.named if name != "drop"}
    if choice.drop:
        if named:
            yield _of_column(column, f"is dropped, so {_quoted(sorted(named))} cannot be done to it. Leave one out.")
        return
    role = _role(column, choice)
    if choice.kind is not None and not _may_become(column, choice.kind):
        yield _of_column(
            column,
            f"is read as {column.kind}, which cannot be taken for {choice.kind}. Numbers, texts and categories can be "
            "taken for categories, and categories for texts.",
            "kind",
        )
        return
    wrong = sorted(named - _FIT[role] - {"kind"})
    if wrong:
        fit = sorted(_FIT[role] - {"kind"})
        yield _of_column(
            column,
            f"is used as a {role}, for which {_quoted(wrong)} says nothing. Use {_quoted(fit)}, or leave it out.",
            wrong[0],
        )
        return
    yield from _problems_of_filling(spec, estimator, column, choice, role)
    if estimator.inputs_not_negative and (choice.scale in {"standard", "robust"} or choice.cycles or choice.text):
        said = next(name for name in ("scale", "cycles", "text") if name in named)
        yield _of_column(
            column, f"would have negative numbers by '{said}', which {estimator.name} does not take.", said
        )


def _problems_of_filling(
    spec: TrainingSpec, estimator: Estimator, column: Column, choice: ColumnChoice, role: str
) -> Iterator[PlatformError]:
    if choice.impute is None:
        return
    if choice.impute not in _IMPUTED[role]:
        able = _quoted(sorted(_IMPUTED[role]))
        yield _of_column(column, f"is used as a {role}; its gaps can become {able}, not '{choice.impute}'.", "impute")
    elif choice.impute == "none" and column.missing and not estimator.takes_missing_with(spec.model.params):
        yield _of_column(
            column,
            f"has gaps in {column.missing:,} rows, which {estimator.name} does not take. Choose what they become.",
            "impute",
        )


def _role(column: Column, choice: ColumnChoice) -> str:
    if choice.kind is not None:
        return choice.kind
    if column.kind in _NUMBERS:
        return "number"
    names = {ColumnKind.DATETIME: "date", ColumnKind.BOOLEAN: "boolean", ColumnKind.TEXT: "text"}
    return names.get(column.kind, "category")


def _may_become(column: Column, kind: str) -> bool:
    return column.kind in (_NUMBERS | _WORDS if kind == "category" else _WORDS)


def _not_an_input(spec: TrainingSpec, name: str, inputs: Mapping[str, Column]) -> PlatformError:
    near = closest(name, inputs)
    if name == spec.sample_weight:
        sentence = f"'{name[:_SHOWN]}' is the weight of rows, to which nothing is done. Take it out of 'preprocessing'."
    elif name == spec.target_column:
        sentence = f"'{name[:_SHOWN]}' is the target, to which nothing is done. Take it out of 'preprocessing'."
    elif spec.features is not None:
        sentence = f"'{name[:_SHOWN]}' in 'preprocessing' is not one of 'features'.{meant(near)}"
    else:
        sentence = f"'{name[:_SHOWN]}' in 'preprocessing' is not in dataset '{spec.dataset_name}'.{meant(near)}"
    return UnknownColumn(
        sentence,
        errors=[{"loc": ["body", "preprocessing", name[:_SHOWN]], "msg": sentence}],
        did_you_mean=near,
        available=inputs,
    )


def _of_column(column: Column, said: str, *place: str) -> PlatformError:
    sentence = f"'{column.name[:_SHOWN]}' {said}"
    return UnsuitableColumns(
        sentence, errors=[{"loc": ["body", "preprocessing", column.name[:_SHOWN], *place], "msg": sentence}]
    )


def _unsuitable(sentence: str) -> PlatformError:
    return UnsuitableColumns(sentence, errors=[{"loc": ["body", "preprocessing"], "msg": sentence}])


def _problem(sentence: str) -> PlatformError:
    return InvalidRequest(sentence, errors=[{"loc": ["body", "preprocessing"], "msg": sentence}])


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{name[:_SHOWN]}'" for name in names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
