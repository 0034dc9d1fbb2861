"""The report of a model as tables."""

from collections.abc import Sequence
from typing import Any

from rich.console import RenderableType

from cli.client.hints import in_verbs
from cli.render.leaderboard import rank_text
from cli.render.models import notes_text, rows_text
from cli.render.output import facts, sections
from cli.render.search import search_part
from cli.render.table import table
from cli.render.text import cell, data_text, moment, rounded, size

Part = tuple[str, RenderableType] | None

# The most rows of a table; `--json` has all.
_MOST = 20


def model_report(report: dict[str, Any]) -> RenderableType:
    """The parts of a report that tell most: a browser shows pictures, and JSON has all."""
    return sections(
        facts(
            [
                ("Version", report["version"]),
                ("Dataset", f"{report['dataset_name']}, version {report['dataset_version']}"),
                ("Target", report["target"]),
                ("Estimator", report["estimator"]),
                *([("Rows", rows_text(report))] if report["rows"] else []),
                ("Trained", moment(report["trained_at"])),
                # An older platform does not say.
                *([("Rank", rank_text(standing))] if (standing := report.get("standing")) else []),
            ]
        ),
        _metrics(report),
        notes_text([*report["notes"], *report["warnings"]]),
        _importance(report),
        _confusion(report["confusion_matrix"]),
        _classes(report["per_class"]),
        _residuals(report["residuals"]),
        _slices(report["slices"]),
        _worst(report["worst_rows"]),
        search_part(report),
        _folds(report["spread"], len(report["folds"])),
        # An older platform does not say.
        _threshold(report.get("threshold")),
        _learning(report.get("learning_curve")),
        _uncertainty(report["uncertainty"]),
        _treatments(report["columns"]),
        _costs(report.get("costs")),
    )


def _metrics(report: dict[str, Any]) -> RenderableType:
    baseline = (report["baseline"] or {}).get("metrics", {})
    return table(
        ["Metric", "Value", "95 % interval", "Baseline"],
        (
            (name, rounded(value), _range(report["intervals"].get(name)), rounded(baseline.get(name)))
            for name, value in report["metrics"].items()
        ),
        right=["Value", "Baseline"],
    )


def _range(bounds: Sequence[float] | None) -> str:
    return "-" if bounds is None else f"{rounded(bounds[0])} to {rounded(bounds[1])}"


def _importance(report: dict[str, Any]) -> Part:
    rows = [(each["column"], rounded(each["mean"]), rounded(each["std"])) for each in report["importance"]]
    names = ["Column", f"{cell(report['main_metric'])} worse by", "Deviation"]
    return _part("Importance", names, rows, right=names[1:])


def _confusion(found: dict[str, Any] | None) -> Part:
    if found is None:
        return None
    labels = [cell(label) for label in found["labels"]]
    if len(labels) > _MOST:
        return ("Confusion matrix", f"It has {len(labels)} labels: a browser shows it, or --json.")
    rows = [(label, *counts) for label, counts in zip(labels, found["counts"], strict=True)]
    return _part("Confusion matrix", ["Actual", *(f"said {label}" for label in labels)], rows, right=[])


def _classes(found: list[dict[str, Any]]) -> Part:
    names = ["Label", "Precision", "Recall", "F1", "Test rows"]
    rows = [
        (each["label"], *(rounded(each[name]) for name in ("precision", "recall", "f1")), each["support"])
        for each in found
    ]
    return _part("Labels", names, rows, right=names[1:])


def _residuals(found: dict[str, Any] | None) -> Part:
    if found is None:
        return None
    rows = [("Mean", rounded(found["mean"]))]
    rows += [(f"{float(share):.0%} at most", rounded(distance)) for share, distance in found["quantiles"].items()]
    return ("Actual less predicted", facts(rows))


def _slices(found: list[dict[str, Any]]) -> Part:
    metrics = _names(found, "metrics")
    rows = [
        (each["column"], each["value"], each["rows"], *(rounded(each["metrics"].get(name)) for name in metrics))
        for each in found
    ]
    return _part("Slices", ["Column", "Value", "Test rows", *metrics], rows, right=["Test rows", *metrics])


def _worst(found: list[dict[str, Any]]) -> Part:
    names = _names(found, "values")
    rows = [
        (
            *(each["row"], each["actual"], each["predicted"], rounded(each["error"])),
            *(data_text(each["values"].get(name)) for name in names),
        )
        for each in found
    ]
    return _part("Worst rows", ["Row", "Actual", "Predicted", "Error", *names], rows, right=["Row", "Error"])


def _folds(spread: dict[str, Any], folds: int) -> Part:
    rows = [(name, rounded(each["mean"]), rounded(each["std"])) for name, each in spread.items()]
    return _part(f"{folds} folds", ["Metric", "Mean", "Deviation"], rows, right=["Mean", "Deviation"])


def _learning(found: dict[str, Any] | None) -> Part:
    if found is None:
        return None
    rows = [
        (each["rows"], *(rounded(each[part][of]) for part in ("training", "validation") for of in ("mean", "std")))
        for each in found["points"]
    ]
    names = ["Rows", "Learnt from", "Deviation", "Not seen", "Deviation"]
    return _part(f"{found['metric']} by rows to learn from", names, rows, right=names)


def _threshold(found: dict[str, Any] | None) -> Part:
    if found is None:
        return None
    said = f"{data_text(found['positive'])} from a probability of {found['value']:.6g} on"
    rows: list[tuple[str, object]] = [("Says", said), ("Chosen for", found["chosen_for"])]
    for name, key in (("Folds", "score"), ("Test rows", "test_score")):
        if found[key] is not None:
            scores = f"{rounded(found[key])}, and {rounded(found[f'{key}_at_half'])} at 0.5"
            rows.append((name, f"{found['score_name']} {scores}"))
    return ("Threshold", facts(rows))


def _uncertainty(found: dict[str, Any] | None) -> Part:
    if found is None:
        return None
    told = (
        f"{found['level']:.0%} of the truth is promised to be inside; of the test rows it is {found['coverage']:.1%}."
    )
    return ("Intervals of predictions", f"{told} They have the mean size {rounded(found['size'])}.")


def _costs(found: dict[str, Any] | None) -> Part:
    if found is None:
        return None
    timed = "its compiled form" if found["compiled"] else "scikit-learn's own model"
    rows: list[tuple[str, object]] = [
        ("Fitted in", f"{rounded(found['fit_seconds'])} s"),
        ("One row", f"{rounded(1000 * found['row_seconds'])} ms, by {timed}"),
    ]
    # An older platform does not say.
    if (peak := found.get("peak_memory_bytes")) is not None:
        rows.append(("Memory of its training", f"{peak / 2**20:,.0f} MiB at its peak"))
    sizes = {"File": "artifact_bytes", "Compiled form": "form_bytes"}
    rows += [(name, size(found[key])) for name, key in sizes.items() if found.get(key) is not None]
    return ("What it takes", facts(rows))


def _treatments(found: list[dict[str, Any]]) -> Part:
    rows = [(each["column"], each["kind"], in_verbs(each["treatment"])) for each in found]
    return _part("Columns", ["Column", "Kind", "Treatment"], rows, right=[])


def _part(heading: str, names: list[str], rows: Sequence[tuple[object, ...]], *, right: Sequence[str]) -> Part:
    """A table under its heading; nothing if it has no rows, and the first ones if it has many."""
    if not rows:
        return None
    title = heading if len(rows) <= _MOST else f"{heading}, the first {_MOST} of {len(rows)}"
    return (title, table([cell(name) for name in names], rows[:_MOST], right=right))


def _names(found: list[dict[str, Any]], part: str) -> list[str]:
    return list(dict.fromkeys(name for each in found for name in each[part]))
