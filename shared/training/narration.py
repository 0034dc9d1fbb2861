"""The lines that the job's log gets while a training runs; the report has the same facts as data."""

from collections.abc import Callable, Iterable, Sequence

from shared.compiled.compilation import Compilation
from shared.evaluation.assessment import Fold, LearningCurve, Promise
from shared.evaluation.folds import spread_of
from shared.evaluation.measuring import Evaluation
from shared.evaluation.threshold_told import ThresholdTold
from shared.training.plan import Plan
from shared.training.split import Split

Say = Callable[[str], None]

_MOST_TREATMENTS = 20
_MOST_NAMES = 5


def rows(count: int) -> str:
    """A number of rows in words."""
    return f"{count:,} row" if count == 1 else f"{count:,} rows"


def of_preparation(say: Say, plan: Plan, split: Split, *, found: Iterable[str] = (), without_target: int) -> None:
    """What becomes of rows and columns before anything is fitted; `found` is what the reading of the table tells."""
    if without_target:
        say(f"dropped {rows(without_target)} without a target")
    for note in found:
        say(note)
    for line in _treatments(plan):
        say(line)
    if split.note:
        say(split.note)


def of_fit(say: Say, *, seconds: float, warnings: list[str]) -> None:
    """How the fit went, with what scikit-learn warned of."""
    for warning in warnings:
        say(warning)
    say(f"fitted in {seconds:.1f} s")


def of_evaluation(say: Say, measured: Evaluation, *, rows_measured: int) -> None:
    """What was measured on the rows that were kept back."""
    numbers = ", ".join(f"{name} {value:.4g}" for name, value in measured.metrics.items())
    say(f"measured on {rows(rows_measured)}: {numbers or 'nothing that is defined here'}")
    for note in measured.notes:
        say(note)


def of_threshold(say: Say, told: ThresholdTold) -> None:
    """From which probability on the positive label is said, and what that is worth."""
    line = f"says {told.positive!r} from a probability of {told.value:g} on, chosen for {told.chosen_for}"
    if told.score is not None and told.score_at_half is not None:
        line += f": {told.score_name} {told.score:.4g} in the folds instead of {told.score_at_half:.4g} with 0.5"
    say(line)


def of_validation(say: Say, folds: Sequence[Fold], promise: Promise | None, notes: Iterable[str]) -> None:
    """How the models of the folds did, and what is promised of single predictions."""
    spread = spread_of(folds)
    if spread:
        numbers = ", ".join(f"{name} {each.mean:.4g} ± {each.std:.2g}" for name, each in spread.items())
        say(f"{len(folds)} folds of the training rows: {numbers}")
    if promise is not None:
        say(f"intervals for {promise.level:.0%} of rows hold the truth for {promise.coverage:.1%} of the test rows")
    for note in notes:
        say(note)


def of_curve(say: Say, curve: LearningCurve | None, notes: Iterable[str]) -> None:
    """How well models of fewer rows do."""
    if curve is not None:
        numbers = ", ".join(f"{each.rows:,}: {each.validation.mean:.4g}" for each in curve.points)
        say(f"{curve.metric} by rows to learn from, on the folds: {numbers}")
    for note in notes:
        say(note)


def of_form(say: Say, compilation: Compilation) -> None:
    """Whether predictions come from a compiled form, or why not."""
    say(compilation.detail)


def _treatments(plan: Plan) -> list[str]:
    """One line for the columns of each treatment; of very many treatments, the rarest are only counted."""
    columns: dict[str, list[str]] = {}
    for treatment in plan.treatments:
        columns.setdefault(treatment.treatment, []).append(treatment.column)
    told = sorted(columns.items(), key=lambda item: -len(item[1]))
    lines = [f"{_named(names)}: {treatment}" for treatment, names in told[:_MOST_TREATMENTS]]
    left = sum(len(names) for _, names in told[_MOST_TREATMENTS:])
    return [*lines, f"{left:,} more columns: the model's report tells of each"] if left else lines


def _named(names: list[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:_MOST_NAMES])
    more = len(names) - _MOST_NAMES
    word = "column" if len(names) == 1 else "columns"
    return f"{word} {shown} and {more:,} more" if more > 0 else f"{word} {shown}"
