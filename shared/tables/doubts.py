"""What makes a target doubtful, with what to do about it."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from shared.tables.columns import MOST_UNIQUE, Column, ColumnKind
from shared.tables.loading import plain
from shared.tables.relations import ColumnScore, TargetDoubt, TargetWarning
from shared.tables.repeated import Repeats

# Numbers that are so few may be classes.
FEW = 20
_RARE_ROWS = 10
_ALONE = 0.98
_MOST_NAMED = 5
_SHOWN_CHARACTERS = 40
_NUMBERS = {ColumnKind.INTEGER, ColumnKind.NUMBER}


def doubts_of(target: Column, counts: Counter[Any], scores: list[ColumnScore], repeats: Repeats) -> list[TargetWarning]:
    """All that is to be said of a target with so many rows of each value."""
    return [
        *_alone(target.name, scores),
        *_values(target, counts),
        *_repeats(target.name, repeats),
    ]


def _alone(target: str, scores: list[ColumnScore]) -> Iterator[TargetWarning]:
    for each in scores:
        if each.score >= _ALONE:
            detail = (
                f"'{each.column}' alone predicts '{target}' nearly always (score {each.score:.3f}). If it is only "
                "known together with the target or after it, leave it out of 'features' of the training: such a model "
                "is of no use for new rows."
            )
            yield TargetWarning(code=TargetDoubt.PREDICTS_ALONE, column=each.column, detail=detail)


def _values(target: Column, counts: Counter[Any]) -> Iterator[TargetWarning]:
    name = target.name
    is_few = target.kind in _NUMBERS and 2 <= len(counts) <= FEW < counts.total()
    if is_few:
        detail = (
            f"'{name}' holds numbers, but only {len(counts)} different ones. If they are classes, train a classifier: "
            "a regressor says numbers that lie between them."
        )
        yield TargetWarning(code=TargetDoubt.FEW_NUMBERS, column=name, count=len(counts), detail=detail)
    if not is_few and target.kind not in {ColumnKind.CATEGORY, ColumnKind.BOOLEAN}:
        return
    rare = sorted((count, _shown(value)) for value, count in counts.items() if count < _RARE_ROWS)
    if rare and len(counts) <= MOST_UNIQUE:
        named = ", ".join(f"{value} ({count})" for count, value in rare[:_MOST_NAMED])
        more = f" and {len(rare) - _MOST_NAMED:,} more" if len(rare) > _MOST_NAMED else ""
        which = "1 class has" if len(rare) == 1 else f"{len(rare):,} classes have"
        detail = (
            f"{which} fewer than {_RARE_ROWS} rows: {named}{more}. Too few to learn from and to be measured on. "
            "Collect more rows of them, put them together with other classes, or leave them out."
        )
        yield TargetWarning(code=TargetDoubt.RARE_CLASSES, column=name, count=len(rare), detail=detail)


def _repeats(target: str, found: Repeats) -> Iterator[TargetWarning]:
    if found.same:
        which = "1 row is" if found.same == 1 else f"{found.same:,} rows are"
        detail = (
            f"{which} the same as one before, so that a split by chance has the same rows on both sides, and a model "
            "looks better than it is. Remove them, or, if a column says what belongs together, split by groups of it."
        )
        yield TargetWarning(code=TargetDoubt.DUPLICATE_ROWS, column=target, count=found.same, detail=detail)
    if found.different:
        detail = (
            f"{found.different:,} rows are the same as others in all columns but '{target}', in which they differ. No "
            "model can be right for all of them. Add a column that tells them apart, or correct them."
        )
        yield TargetWarning(code=TargetDoubt.DIFFERENT_TARGETS, column=target, count=found.different, detail=detail)


def _shown(value: Any) -> str:
    text = str(plain(value))
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 1]}…"
