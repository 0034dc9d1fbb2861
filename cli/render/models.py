"""Models as tables."""

import os
import shlex
from collections.abc import Callable
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from cli.client.hints import in_verbs
from cli.render.leaderboard import leaderboard
from cli.render.output import facts, sections
from cli.render.table import table
from cli.render.text import age, cell, count, moment, rounded, size

_BEST = "*"
_STAGES = "dev,staging,production"


def model_list(page: dict[str, Any], *, metric: str | None = None) -> RenderableType:
    """The models of a page, each with this metric or else its first one."""
    if not page["items"]:
        return "No models. `mlmini train` makes one."
    measured = "First metric" if metric is None else "Metric"
    return table(
        ["Version", "Dataset", "Target", "Estimator", "Active in", measured, "Age"],
        (
            (
                *(model["version"], model["dataset_name"], model["target"]),
                *(model["estimator"].rpartition(".")[2], _active_in(model)),
                *(_measure(model["metrics"], metric), age(model["trained_at"])),
            )
            for model in page["items"]
        ),
        right=["Version", "Age"],
        whole=["Estimator", "Age"],
        dropped=["Age", "Target", measured],
    )


def model_details(model: dict[str, Any]) -> RenderableType:
    """One model: where it comes from, how good it is, what it takes and where it serves."""
    report = model["report"]
    return sections(
        facts(
            [
                ("Version", model["version"]),
                ("Dataset", f"{model['dataset_name']}, version {model['dataset_version']}"),
                ("Estimator", model["estimator"]),
                ("Target", model["target"]),
                ("Active in", _active_in(model)),
                ("Artifact", model["artifact_path"]),
                ("Compiled", _compiled(model.get("compilation"))),
                ("Trained", moment(model["trained_at"])),
                ("Rows", rows_text(report)),
                ("Job", model["job_id"]),
                *([("Tags", model["tags"])] if model.get("tags") else []),
                *([("Note", model["note"])] if model.get("note") else []),
            ]
        ),
        _measures(model["metrics"], report.get("baseline", {}).get("metrics", {})),
        table(
            ["Input", "Kind", "May be missing", "Treatment"],
            _inputs(model["signature"]["inputs"], report.get("columns", [])),
        ),
        ("Parameters", facts(model["parameters"].items())),
        notes_text(report.get("notes")),
    )


def _compiled(compilation: dict[str, Any] | None) -> str:
    """Whether a compiled form answers its predictions; an older release made none, and an older API knows none."""
    if compilation is None:
        return "no"
    return cell(compilation["detail"]) if compilation["compiled"] else f"no: {cell(compilation['detail'])}"


def comparison(compared: dict[str, Any]) -> RenderableType:
    """Models side by side; what differs is coloured, and the best value of a metric is marked."""
    versions = [f"Version {version}" for version in compared["versions"]]
    parts: list[RenderableType] = []
    for heading in ("facts", "metrics", "parameters"):
        rows = [
            _compared(row, compared["versions"], rounded if heading == "metrics" else cell) for row in compared[heading]
        ]
        if rows:
            parts.append(table([heading.capitalize(), *versions], rows))
    marked = any(row.get("best") for row in compared["metrics"])
    legend = (
        f"{_BEST} the best of a metric   ! not the same in all versions" if marked else "! not the same in all versions"
    )
    return sections(*parts, legend)


def made(job: dict[str, Any], model: dict[str, Any]) -> RenderableType:
    """The model that a training made, and what to do with it."""
    result = job["result"]
    version, name = result["version"], cell(job["dataset_name"])
    promotion = [f"mlmini promote {name} {version} {stage}" for stage in _stages_after(result["stage"])[:1]]
    return sections(
        facts(
            [
                ("Version", version),
                ("Dataset", name),
                ("Target", model["target"]),
                ("Rows", rows_text(model["report"])),
                ("Stage", result["stage"]),
                ("Artifact", result["artifact_path"]),
                ("Job", job["job_id"]),
            ]
        ),
        leaderboard(result),
        _measures(result["metrics"], result.get("baseline", {})),
        _left_out(result.get("left_out")),
        notes_text(result.get("notes")),
        "\n      ".join([f"Next: mlmini models show {version}", *promotion]),
    )


def _measures(metrics: dict[str, Any], baseline: dict[str, Any]) -> RenderableType:
    return table(
        ["Metric", "Value", "Baseline"],
        ((name, rounded(value), rounded(baseline.get(name))) for name, value in metrics.items()),
        right=["Value", "Baseline"],
    )


def _left_out(columns: list[dict[str, str]] | None) -> tuple[str, RenderableType] | None:
    # An older platform does not say.
    return ("Left out", facts((each["column"], in_verbs(each["reason"])) for each in columns)) if columns else None


def notes_text(notes: list[str] | None) -> tuple[str, RenderableType] | None:
    """What is to be known of a training, under its heading; nothing if there is nothing."""
    return ("Notes", "\n".join(cell(in_verbs(note)) for note in notes)) if notes else None


def promoted(job: dict[str, Any]) -> RenderableType:
    """Where a promotion brought a model, and what serves there now."""
    result = job["result"]
    serving = result.get("serving_version")
    rows: list[tuple[str, object]] = [
        ("Version", result["version"]),
        ("Target", result.get("target")),
        ("Stage", result["stage"]),
        ("Artifact", result["artifact_path"]),
        ("Serving there", serving),
    ]
    if result.get("retired_versions"):
        rows.append(("Retired there", result["retired_versions"]))
    if serving == result["version"]:
        return facts(rows)
    return sections(
        facts(rows),
        f"Version {serving} is newer and still serves in {cell(result['stage'])}; retire it there to change that.",
    )


def retired(answer: dict[str, Any]) -> RenderableType:
    """What serves in a stage after a retirement."""
    serving = answer["serving_version"]
    return facts(
        [
            ("Version", answer["version"]),
            ("Retired from", answer["stage"]),
            ("Reason", answer["reason"]),
            ("Serving there", _serving(serving, answer["serving_target"])),
        ]
    )


def erased(done: dict[str, Any]) -> RenderableType:
    """What was done with a model that is no longer there."""
    return f"Version {done['version']} is {done['done']}. Its number is never given again."


def exported(done: dict[str, Any]) -> RenderableType:
    """What was written into which folder, and how to serve it."""
    model = f"Version {done['version']} of '{done['dataset_name']}' from '{done['stage']}'"
    kind = "its compiled form" if done["compiled"] else "a pickle"
    lines = [f"{model} is in {cell(done['folder'])}: {kind}, {size(done['size_bytes'])}."]
    if done["key_file"]:
        lines.append(f"The key for MLMINI_EXPORT_KEY is in {cell(done['key_file'])}.")
    elif not done["compiled"]:
        lines.append(
            "Other machines serve a pickle with MLMINI_EXPORT_KEY only; --key-file writes what that has to be."
        )
    return "\n".join([*lines, f"Serve it: mlmini serve {shlex.quote(done['folder'])}"])


def _serving(version: int | None, target: str | None) -> str:
    return "no version" if version is None else f"{version}, which predicts {cell(target)}"


def _stages_after(stage: str) -> list[str]:
    """The stages that come after one: those of the environment, else the usual ones, without importing settings."""
    stages = [name.strip() for name in (os.environ.get("MLMINI_STAGES") or _STAGES).split(",")]
    return stages[stages.index(stage) + 1 :] if stage in stages else []


def _active_in(model: dict[str, Any]) -> str:
    return cell([one["stage"] for one in model["deployments"] if one["active"]]) or "-"


def _measure(metrics: dict[str, Any], name: str | None) -> str:
    named = (f"{each} {rounded(value)}" for each, value in metrics.items() if name in {None, each})
    return next(named, "-")


def rows_text(report: dict[str, Any]) -> str:
    rows = report["rows"]
    text = f"{rows['training']:,} to learn from, {rows['test']:,} to measure on"
    left_out = rows.get("without_target", 0)
    return f"{text}; {count(left_out, 'row')} without a target left out" if left_out else text


def _inputs(inputs: list[dict[str, Any]], columns: list[dict[str, Any]]) -> list[tuple[object, ...]]:
    treatments = {column["column"]: in_verbs(column["treatment"]) for column in columns}
    return [
        (column["name"], column["kind"], "yes" if column["missing_allowed"] else "no", treatments.get(column["name"]))
        for column in inputs
    ]


def _compared(row: dict[str, Any], versions: list[int], write: Callable[[Any], str]) -> list[object]:
    differs, best = row["differs"], row.get("best") or []
    name = Text(f"{cell(row['name'])}{' !' if differs else ''}", style="bold" if differs else "")
    values = []
    for version, value in zip(versions, row["values"], strict=True):
        mark = f" {_BEST}" if differs and version in best else ""
        values.append(Text(f"{write(value)}{mark}", style="green" if mark else "yellow" if differs else ""))
    return [name, *values]
