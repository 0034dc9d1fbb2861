"""What the command line shows of jobs and models, at terminals of any width."""

import io
from typing import Any

import pytest
from rich.console import Console, RenderableType

from cli.render.jobs import cancelled, dry_run, job_details, job_list
from cli.render.models import made

JOB_ID = "0f8fad5b-d9cb-469f-a165-70867728950e"
MODEL = {"target": "species", "report": {"rows": {"training": 8, "test": 2}}}
SENTENCE = "The cancel is accepted: the job stops within moments."


def job(**more: Any) -> dict[str, Any]:
    return {
        "job_id": JOB_ID,
        "kind": "promote",
        "status": "running",
        "progress": {"percent": 45, "step": "fitting"},
        "dataset_name": "a_dataset_of_a_long_name",
        "attempts": 1,
        "created_at": "2026-01-01T00:00:00.000000Z",
        "started_at": None,
        "finished_at": None,
        "request": {},
        "result": None,
        "error": None,
    } | more


def shown(content: RenderableType, *, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, markup=False, highlight=False, emoji=False)
    with console.capture() as capture:
        console.print(content)
    return capture.get()


@pytest.mark.parametrize("width", [40, 50, 60, 70, 80, 200])
def test_the_id_of_a_job_is_never_cut(width: int) -> None:
    text = shown(job_list({"items": [job(), job(status="quarantined")]}), width=width)
    assert text.count(JOB_ID) == 2
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    # What a column holds is whole, or the column is not there.
    assert ("Kind" in text) is ("promote" in text)
    assert ("Status" in text) is ("quarantined" in text)


def test_the_usual_terminal_leaves_out_priorities_and_a_wide_one_shows_all_columns_of_jobs() -> None:
    heading = shown(job_list({"items": [job()]})).splitlines()[0]
    assert heading.split() == ["Job", "Kind", "Status", "Dataset", "Age"]
    wide = shown(job_list({"items": [job(priority=0)]}), width=100).splitlines()
    assert wide[0].split() == ["Job", "Kind", "Status", "Dataset", "Priority", "Age"]
    assert wide[1].split()[-3] == "0"


def test_pools_are_a_column_where_a_job_is_of_another_than_the_usual_one() -> None:
    lines = shown(job_list({"items": [job(), job(pool="large")]}), width=120).splitlines()
    assert lines[0].split() == ["Job", "Kind", "Status", "Dataset", "Pool", "Priority", "Age"]
    assert [line.split()[5] for line in lines[1:]] == ["default", "large"]


def test_a_cancel_of_a_job_that_still_runs_is_told() -> None:
    assert SENTENCE in shown(cancelled(job()))
    assert SENTENCE not in shown(cancelled(job(status="cancelled")))


@pytest.mark.parametrize(
    ("stages", "stage", "command"),
    [
        ("", "dev", "mlmini promote iris 3 staging"),
        ("dev, qa, live", "dev", "mlmini promote iris 3 qa"),
        ("dev", "dev", None),
        ("", "elsewhere", None),
    ],
)
def test_a_training_ends_with_the_command_that_may_come_next(
    monkeypatch: pytest.MonkeyPatch, stages: str, stage: str, command: str | None
) -> None:
    monkeypatch.setenv("MLMINI_STAGES", stages)
    result = {"version": 3, "stage": stage, "artifact_path": "models/3", "metrics": {"accuracy": 0.9}}
    lines = [line.strip() for line in shown(made(job(dataset_name="iris", result=result), MODEL)).splitlines()]
    assert "Next: mlmini models show 3" in lines
    assert [line for line in lines if line.startswith("mlmini promote")] == ([command] if command else [])


def test_a_leaderboard_marks_what_is_not_told_apart_from_the_best_one() -> None:
    entry = {"metric": "accuracy", "measured_on": "folds", "estimator": "svm.SVC", "interval": [0.5, 0.75]}
    board = [
        entry | {"rank": 1, "version": 4, "score": 0.66666, "within_noise": False},
        entry | {"rank": 2, "version": 3, "score": None, "within_noise": True, "interval": None},
    ]
    result = {"version": 4, "stage": "dev", "artifact_path": "models/4", "metrics": {}, "leaderboard": board}
    for told in (made(job(dataset_name="iris", result=result), MODEL), job_details(job(result=result))):
        lines = [line.split() for line in shown(told).splitlines()]
        assert ["1", "4", "svm.SVC", "0.6667", "0.5", "to", "0.75"] in lines
        assert ["2", "3", "svm.SVC", "-", "-", "~"] in lines
        assert any(line[:1] == ["~"] for line in lines)
    assert "leaderboard" not in shown(job_details(job(result=result)))


@pytest.mark.parametrize("valid", [True, False])
def test_a_dry_run_shows_what_the_reading_of_the_table_found(valid: bool) -> None:
    problem = {"code": "single_class", "title": "Single class", "detail": "There is one class only.", "errors": []}
    answer: dict[str, Any] = {
        "valid": valid,
        "request": {"target_column": "species"},
        "limits": {"seconds": 60, "memory_mb": 100},
        "recipe": [],
        "notes": ["4 rows are left out."],
        "problems": [] if valid else [problem],
    }
    assert shown(dry_run(answer)).rstrip().endswith("Notes\n4 rows are left out.")
    assert "Notes" not in shown(dry_run(answer | {"notes": []}))
