"""The card of a model as Markdown, with the front matter that hubs of models read."""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from shared.registry.card import CardMetric, ModelCard

# What Markdown or HTML would take for more than a character.
_MARKS = re.compile(r"([\\`*_\[\]|<>#~])")
_MOST_ROWS = 100
_LIBRARIES = {"catboost", "lightgbm", "xgboost"}


def markdown_of(card: ModelCard) -> str:
    """The whole card; what there are no facts for is left out."""
    parts = [
        _front_matter(card),
        f"# {_text(card.data.name)}: {_text(card.target)}, version {card.version}",
        _what(card),
        _section("How well it does", _of_metrics(card.metrics)),
        _section("Threshold", _of_threshold(card)),
        _section("Where it does better and worse", _of_slices(card)),
        _section("Limits and notes", _list(card.notes)),
        _section("Data", _of_data(card)),
        _section("Columns", _of_columns(card)),
        _section("Stages", _of_stages(card)),
        _section("Parameters", _table(["Parameter", "Value"], card.parameters.items())),
        _section("Libraries", _table(["Library", "Release"], card.libraries.items())),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _front_matter(card: ModelCard) -> str:
    """YAML, whose values are written as JSON, which is YAML as well."""
    kind = f"tabular-{card.task}" if card.task else None
    library = card.estimator.partition(".")[0]
    lines = [
        "---",
        f"library_name: {library if library in _LIBRARIES else 'sklearn'}",
        *([f"pipeline_tag: {kind}"] if kind else []),
        f"tags: {_json([*([kind] if kind else []), *card.tags])}",
        "model-index:",
        f"- name: {_json(f'{card.data.name} v{card.version}')}",
        "  results:",
        f"  - task: {_json({'type': kind or 'tabular'})}",
        f"    dataset: {_json({'name': card.data.name, 'type': card.data.name, 'revision': card.data.sha256})}",
        "    metrics:",
        *(
            f"    - {_json({'type': each.name, 'name': each.name, 'value': each.value})}"
            for each in card.metrics
            if each.value is not None
        ),
        "---",
    ]
    # A list without entries would be null.
    return "\n".join(line if card.metrics or line != "    metrics:" else "    metrics: []" for line in lines)


def _what(card: ModelCard) -> str:
    answers = "the labels" if card.classes else "a number"
    known = f" {', '.join(_text(label) for label in card.classes[:_MOST_ROWS])}" if card.classes else ""
    what = f"A `{card.estimator}` that predicts **{_text(card.target)}**: {answers}{known}."
    lines = [
        f"{what} It was trained {_moment(card.trained_at)}; its newest stage is {_text(card.stage)}.",
        _text(card.note) if card.note else None,
        f"SHA-256 of its file: `{card.sha256}`",
    ]
    return "\n\n".join(line for line in lines if line)


def _of_metrics(metrics: Sequence[CardMetric]) -> str:
    told = "Measured on rows that were kept from the training. The baseline is a model that looks at no column."
    rows = ([each.name, each.value, _range(each.interval), each.baseline] for each in metrics)
    return _under(told, _table(["Metric", "Value", "95 % interval", "Baseline"], rows))


def _of_threshold(card: ModelCard) -> str:
    told = card.threshold
    if told is None:
        return ""
    sentence = f"It says **{_text(told.positive)}** from a probability of {_text(told.value)} on, chosen for "
    scores = [["these rows", told.score, told.score_at_half], ["test rows", told.test_score, told.test_score_at_half]]
    known = [each for each in scores if each[1] is not None]
    found = _table([told.score_name or "Score", "With it", "With one half"], known)
    return f"{sentence}{_text(told.chosen_for)}." + (f"\n\n{found}" if found else "")


def _of_slices(card: ModelCard) -> str:
    names = list(dict.fromkeys(name for each in card.slices for name in each.metrics))
    rows = ([each.column, each.value, each.rows, *(each.metrics.get(name) for name in names)] for each in card.slices)
    return _table(["Column", "Value", "Rows", *names], rows)


def _of_data(card: ModelCard) -> str:
    data = card.data
    facts: list[Any] = [
        data.description,
        f"Dataset {data.name}, version {data.version}, SHA-256 {data.sha256}",
        *(f"Rows, {name.replace('_', ' ')}: {count:,}" for name, count in (data.rows or {}).items()),
        *(
            f"Split, {name.replace('_', ' ')}: {value}"
            for name, value in (data.split or {}).items()
            if value is not None
        ),
    ]
    return _list(fact for fact in facts if fact)


def _of_columns(card: ModelCard) -> str:
    rows = ([each.column, each.kind.value, each.role.replace("_", " "), each.treatment] for each in card.columns)
    return _table(["Column", "Kind", "Seen as", "Treatment"], rows)


def _of_stages(card: ModelCard) -> str:
    rows = (
        [each.stage, _moment(each.since), _moment(each.until) if each.until else "active", each.reason]
        for each in card.stages
    )
    return _table(["Stage", "Since", "Until", "Why it ended"], rows)


def _section(title: str, contents: str) -> str:
    return f"## {title}\n\n{contents}" if contents else ""


def _under(told: str, contents: str) -> str:
    return f"{told}\n\n{contents}" if contents else ""


def _table(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table of rows; of very many, the first."""
    found = list(rows)
    if not found:
        return ""
    lines = [names, *found[:_MOST_ROWS]]
    shown = [_row(_text(cell) for cell in line) for line in lines]
    shown.insert(1, _row("---" for _ in names))
    more = len(found) - _MOST_ROWS
    return "\n".join(shown) + (f"\n\n{more:,} more are in the JSON of this card." if more > 0 else "")


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _list(lines: Iterable[Any]) -> str:
    return "\n".join(f"- {_text(line)}" for line in lines)


def _range(interval: tuple[float, float] | None) -> str | None:
    return None if interval is None else f"{_text(interval[0])} to {_text(interval[1])}"


def _text(value: Any) -> str:
    """A value as text of one line in which nothing is a mark of Markdown."""
    if value is None:
        return "-"
    text = f"{value:.4g}" if isinstance(value, float) else value if isinstance(value, str) else _json(value)
    return _MARKS.sub(r"\\\1", " ".join(text.split())).replace("\\<", "&lt;").replace("\\>", "&gt;")


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
