"""Records what the docs show, on a real platform: `python -m tests.support.record_docs`.

It writes the samples of answers into `api/docs/answers.json` and `api/docs/problems.json`, and the pictures
of the README and of the pages. `answers`, `problems`, `screenshot` or `pictures` behind the command records that alone.
"""

import itertools
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from shared.database import Database
from shared.migration import upgrade
from tests.support.browser import browsing, chromium
from tests.support.launcher import launched
from tests.support.record_pictures import record_pictures
from tests.support.stack import Embedded
from tests.support.swagger_page import SwaggerPage
from tests.support.walk import Step, Walk, body_of
from tests.support.wrong_turns import Refused, wrong_turns

ROOT = Path(__file__).parents[2]
ANSWERS = ROOT / "api" / "docs" / "answers.json"
PROBLEMS = ROOT / "api" / "docs" / "problems.json"
SCREENSHOT = ROOT / "docs" / "images" / "swagger-ui.png"

# The steps whose answers are kept, by operation and name; of all others, the first answer is.
_TITLES = {
    "upload_dataset dry_run": "It would be added",
    "upload_dataset again": "It is there already",
    "reread_dataset keep_all_words": "It would be read so",
    "train_model iris_forest": "It would run",
    "train_model two_typos": "Two things are wrong",
    "predict iris_by_position": "Labels",
    "predict iris_probabilities": "Labels with probabilities",
    "predict iris_interval": "Labels with all that are likely enough",
    "predict diabetes_number": "Numbers",
    "predict diabetes_interval": "Numbers with intervals",
    "v2_infer iris_in_one_tensor": "Labels",
    "v2_infer iris_probabilities": "Labels with probabilities",
}
# Streams and logs are written by hand, beside their routes: real ones are too long.
_ELSEWHERE = {"follow_job", "read_job_log"}
_ENDS = {
    "train": "Training has succeeded",
    "promote": "Promotion has succeeded",
    "predict": "Batch prediction has succeeded",
    "reproduce": "The training came to the same model",
}
# Long lists are cut: a sample is there to be read.
_MOST = {
    "items": 2,
    "parameters": 4,
    "rows": 3,
    "recipe": 2,
    **dict.fromkeys(("roc", "precision_recall", "calibration", "folds", "partial_dependence", "slices"), 1),
    **dict.fromkeys(("false_positive_rate", "true_positive_rate", "recall", "precision", "predicted", "observed"), 3),
    **dict.fromkeys(("edges", "counts", "points", "worst_rows", "means", "values"), 3),
}
_MOST_COLUMNS = 5
_METRICS_LINES = 12
_SECRETS = {"access_token", "refresh_token", "key"}


def main() -> None:
    """Record what is asked for: all of it by default."""
    # A platform for each: the version in the picture is 1.
    recorders = {"problems": record_problems, "answers": record_answers, "screenshot": record_screenshot}
    recorders["pictures"] = record_pictures
    for name in sys.argv[1:] or recorders:
        with tempfile.TemporaryDirectory() as folder:
            path = recorders[name](Path(folder))
        print(f"written: {path}")  # noqa: T201 - it is a program


def record_problems(folder: Path) -> Path:
    """Take every wrong turn, and write down what came."""
    template = folder / "template.db"
    database = Database(f"sqlite:///{template}")
    upgrade(database)
    database.close()
    with wrong_turns(Embedded(template), folder / "home") as answers:
        return _write(PROBLEMS, samples_of_problems(answers))


def record_answers(folder: Path) -> Path:
    """Walk once, and write down what came."""
    with launched(folder / "home") as platform, platform.client() as client:
        walk = Walk(client)
        walk.wait_for_examples()
        return _write(ANSWERS, recorded(walk))


def record_screenshot(folder: Path) -> Path:
    """Show a prediction in Swagger UI."""
    with launched(folder / "home", ports=False) as platform:
        take_screenshot(platform.url("Swagger UI"))
    return SCREENSHOT


def samples_of_problems(answers: list[Refused]) -> dict[str, dict[str, Any]]:
    """The samples by operation and status, one of each code."""
    samples: dict[str, dict[str, Any]] = {}
    for operation, status, problem in answers:
        of_status = samples.setdefault(f"{operation} {status}", {})
        # Those of other protocols have codes and titles of their own, or none.
        name = problem.get("code") or problem.get("error_code", "error").lower()
        of_status.setdefault(name, {"summary": problem.get("title", "Refused"), "value": problem})
    return samples


def _write(path: Path, samples: dict[str, Any]) -> Path:
    path.write_text(json.dumps(samples, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def recorded(walk: Walk) -> dict[str, dict[str, Any]]:
    """The samples by operation and status."""
    samples: dict[str, dict[str, Any]] = {}
    for step in itertools.chain(walk.steps(), walk.steps_of_accounts()):
        value = body_of(step.answer)
        if value is None or step.operation in _ELSEWHERE:
            continue
        key = f"{step.operation} {step.answer.status_code}"
        title = _title(step, value)
        if title or key not in samples:
            title = title or step.answer.reason_phrase
            name = title.lower().replace(" ", "_")
            samples.setdefault(key, {}).setdefault(name, {"summary": title, "value": _without_secrets(_cut(value))})
    return samples


def _without_secrets(value: Any) -> Any:
    """Tokens and keys are let in nowhere any more, and yet look like what must not stand in a repository."""
    return value | dict.fromkeys(_SECRETS & value.keys(), "...") if isinstance(value, dict) else value


def take_screenshot(url: str) -> None:
    """Predict with a model that was made by clicking, and show the answer."""
    with chromium() as browser, browsing(browser, url, width=1280) as context:
        page = SwaggerPage(context.new_page(), url)
        for tag, operation in [("Train", "train_model"), ("Promote", "promote_model")]:
            with page.opened(tag, operation):
                page.execute(status=202)
            with page.opened("Jobs", "get_job"):
                page.execute(status=200)
        with page.opened("Predict", "predict") as predict:
            page.choose("iris_probabilities")
            # The first prediction loads the model; the second one shows the time that all others take.
            page.execute(status=200)
            page.execute(status=200)
            shown = predict.locator(".live-responses-table .response-col_description .highlight-code").first
            top, end = predict.locator(".opblock-section-request-body").bounding_box(), shown.bounding_box()
            assert top is not None
            assert end is not None
            page.page.set_viewport_size({"width": 1280, "height": int(end["y"] + end["height"] - top["y"]) + 6})
            page.page.mouse.move(0, 0)
            predict.locator(".opblock-section-request-body").evaluate("section => section.scrollIntoView()")
            page.page.screenshot(path=SCREENSHOT)


def _title(step: Step, value: Any) -> str:
    """What the sample is called; empty where any answer will do."""
    if step.operation == "get_job":
        return _ENDS[value["kind"]] if value["status"] == "succeeded" else "Cancelled"
    # Of the two answers to one request, the one to the dry run is meant.
    return _TITLES.get(f"{step.operation} {step.name}", "") if step.answer.status_code == 200 else ""


def _cut(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {inner: _cut(member, inner) for inner, member in value.items()}
    if isinstance(value, list):
        readable = [item for item in value if len(_columns(item)) <= _MOST_COLUMNS] or value
        return [_cut(item) for item in readable[: _MOST.get(name)]]
    if isinstance(value, str) and value.count("\n") > _METRICS_LINES:
        return "".join(value.splitlines(keepends=True)[:_METRICS_LINES])
    return value


def _columns(item: Any) -> list[Any]:
    columns: list[Any] = item.get("columns", []) if isinstance(item, dict) else []
    return columns


if __name__ == "__main__":
    main()
