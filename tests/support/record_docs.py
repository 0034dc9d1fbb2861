"""Records what the docs show, on a real platform: `python -m tests.support.record_docs`.

It writes the samples of answers into `api/docs/answers.json`, and the screenshot of the README.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

from tests.support.browser import browsing, chromium
from tests.support.launcher import launched
from tests.support.swagger_page import SwaggerPage
from tests.support.walk import Step, Walk, body_of

ROOT = Path(__file__).parents[2]
ANSWERS = ROOT / "api" / "docs" / "answers.json"
SCREENSHOT = ROOT / "docs" / "images" / "swagger-ui.png"

# The steps whose answers are kept, by operation and name; of all others, the first answer is.
_TITLES = {
    "train_model iris_forest": "It would run",
    "train_model two_typos": "Two things are wrong",
    "predict iris_by_position": "Labels",
    "predict iris_probabilities": "Labels with probabilities",
    "predict diabetes_number": "Numbers",
}
# Streams and logs are written by hand, beside their routes: real ones are too long.
_ELSEWHERE = {"follow_job", "read_job_log"}
_ENDS = {"train": "Training has succeeded", "promote": "Promotion has succeeded"}
# Long lists are cut: a sample is there to be read.
_MOST = {"items": 2, "parameters": 4, "rows": 3, "recipe": 2}
_MOST_COLUMNS = 5
_METRICS_LINES = 12


def main() -> None:
    """Walk once, and write down what came."""
    with tempfile.TemporaryDirectory() as folder:
        with launched(Path(folder) / "home") as platform, platform.client() as client:
            walk = Walk(client)
            walk.wait_for_examples()
            ANSWERS.write_text(json.dumps(recorded(walk), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"written: {ANSWERS}")  # noqa: T201 - it is a program
        # A platform of its own: the samples are part of the page, and the version in the picture is 1.
        with launched(Path(folder) / "other", ports=False) as platform:
            take_screenshot(platform.url("Swagger UI"))
        print(f"written: {SCREENSHOT}")  # noqa: T201 - it is a program


def recorded(walk: Walk) -> dict[str, dict[str, Any]]:
    """The samples by operation and status."""
    samples: dict[str, dict[str, Any]] = {}
    for step in walk.steps():
        value = body_of(step.answer)
        if value is None or step.operation in _ELSEWHERE:
            continue
        key = f"{step.operation} {step.answer.status_code}"
        title = _title(step, value)
        if title or key not in samples:
            title = title or step.answer.reason_phrase
            name = title.lower().replace(" ", "_")
            samples.setdefault(key, {}).setdefault(name, {"summary": title, "value": _cut(value)})
    return samples


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
