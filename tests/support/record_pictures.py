"""Pictures of the pages, made on a real platform with the penguins of the demo: part of `record_docs`."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pandas as pd
from PIL import Image
from playwright.sync_api import BrowserContext

from tests.support.browser import browsing, chromium
from tests.support.launcher import launched

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"
PENGUINS = ROOT / "cli" / "data" / "penguins.csv"

_WIDTH = 1040
_COLOURS = 64
_FOREST = {"module": "ensemble", "class": "RandomForestClassifier", "params": {"n_estimators": 100}}
_LINEAR = {"module": "linear_model", "class": "LogisticRegression", "params": {"max_iter": 1000}}


class Page(NamedTuple):
    """A page to take a picture of: its upper part."""

    name: str
    path: str
    height: int


def record_pictures(folder: Path) -> Path:
    """Upload two versions of the table, train on them, and take a picture of each page."""
    with launched(folder / "home") as platform, platform.client() as client, chromium() as browser:
        address = str(client.base_url).rstrip("/")
        with browsing(browser, address, width=_WIDTH) as context:
            for page in pages(client):
                take(context, address, page)
    return IMAGES


def take(context: BrowserContext, address: str, page: Page) -> None:
    """One picture."""
    shown = context.new_page()
    shown.set_viewport_size({"width": _WIDTH, "height": page.height})
    shown.goto(f"{address}{page.path}")
    whole = Image.open(io.BytesIO(shown.screenshot()))
    # Few colours are in them, and a palette takes half of the bytes.
    whole.convert("RGB").quantize(_COLOURS).save(IMAGES / f"{page.name}.png", optimize=True)
    shown.close()


def pages(client: httpx2.Client) -> Iterator[Page]:
    """All pages, once what they show is there."""
    table = pd.read_csv(PENGUINS)
    # What was there after two years, and after three.
    for known in (table[table["year"] < 2009], table):
        _upload(client, known)
    yield Page("profile", "/datasets/penguins/profile?target=species", 1120)
    yield Page("diff", "/datasets/penguins/diff?from=1&to=2", 1040)
    several = _done(client, {"models": "auto", "target_column": "species"})
    yield Page("leaderboard", f"/jobs/{several['job_id']}", 890)
    forest = _done(client, {"model": _FOREST, "target_column": "sex"})
    linear = _done(client, {"model": _LINEAR, "target_column": "sex"})
    first, second = (job["result"]["version"] for job in (forest, linear))
    yield Page("job", f"/jobs/{linear['job_id']}", 660)
    yield Page("model", f"/models/{second}", 850)
    yield Page("comparison", f"/models/compare?versions={first},{second}", 900)
    yield Page("report", f"/models/{first}/report", 1415)


def _upload(client: httpx2.Client, table: pd.DataFrame) -> None:
    text = io.StringIO()
    table.to_csv(text, index=False)
    client.post("/datasets/upload", files={"file": ("penguins.csv", text.getvalue().encode())}).raise_for_status()


def _done(client: httpx2.Client, asked: dict[str, Any]) -> dict[str, Any]:
    accepted = client.post("/train", json={"dataset_name": "penguins", **asked}).raise_for_status().json()
    job: dict[str, Any] = client.get(f"{accepted['links']['self']}?wait=60", timeout=90).raise_for_status().json()
    while job["status"] in {"queued", "running"}:
        job = client.get(f"{accepted['links']['self']}?wait=60", timeout=90).raise_for_status().json()
    assert job["status"] == "succeeded", job
    return job
