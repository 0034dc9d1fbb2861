"""The card of a model: facts as JSON and as Markdown, of which none can break the text."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient
from sqlalchemy import update

from api.parts import Parts
from shared.datasets.rows import DatasetRow
from shared.registry.notes import put_note, put_tags
from shared.registry.rows import RegistryRow
from tests.support.assessments import BASELINE, METRICS, of_labels, report_of
from tests.support.models import Platform, doubling, iris_forest

pytestmark = pytest.mark.any_stack

EVIL = "a | b\n# <script>`*_[x](y)"
MARKDOWN = {"Accept": "text/markdown"}


def furnish(parts: Parts, folder: Path) -> Platform:
    """A classifier with all that can be told, and one of an older release."""
    platform = Platform(parts.database, parts.store, parts.settings, parts.key, folder)
    data = platform.dataset()
    platform.train(data, replace(iris_forest(), assessment=of_labels("setosa", EVIL)))
    platform.train(data, doubling())
    platform.promote(1, "staging")
    with platform.database.write() as session:
        values = {"metrics": METRICS, "report": report_of(METRICS, BASELINE, ["setosa", EVIL])}
        session.execute(update(RegistryRow).where(RegistryRow.version == 1).values(values))
        session.execute(update(DatasetRow).values(description=EVIL))
        put_note(session, 1, "the first one")
        put_tags(session, 1, ["team:a"])
    return platform


def front_matter(text: str) -> Any:
    assert text.startswith("---\n")
    return yaml.safe_load(text.split("---\n")[1])


def test_the_card_has_the_facts_and_no_others(one_client: TestClient, one_platform: Platform) -> None:
    card = one_client.get("/models/1/card").raise_for_status().json()
    assert card["data"] | {"description": EVIL, "name": "iris", "version": 1, "sha256": "0" * 64} == card["data"]
    assert card["metrics"][0] == {
        "name": "accuracy",
        "value": METRICS["accuracy"],
        "interval": [0.8584, 0.9558],
        "baseline": BASELINE["accuracy"],
    }
    assert (card["tags"], card["note"]) == (["team:a"], "the first one")
    assert [(each["stage"], each["until"]) for each in card["stages"]] == [("dev", None), ("staging", None)]
    assert (card["threshold"]["positive"], card["threshold"]["value"]) == (EVIL, 0.3)
    assert card["columns"]
    assert card["slices"]
    assert not {"license", "owner"} & set(card)


def test_the_text_begins_with_what_hubs_read(one_client: TestClient, one_platform: Platform) -> None:
    answer = one_client.get("/models/1/card", headers=MARKDOWN)
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    assert answer.headers["vary"] == "Accept"
    found = front_matter(answer.text)
    assert (found["library_name"], found["pipeline_tag"]) == ("sklearn", "tabular-classification")
    assert found["tags"] == ["tabular-classification", "team:a"]
    (index,) = found["model-index"]
    (result,) = index["results"]
    assert result["dataset"] == {"name": "iris", "type": "iris", "revision": "0" * 64}
    assert {each["type"]: each["value"] for each in result["metrics"]} == METRICS


@pytest.mark.asvs("1.3.5")
def test_nothing_in_a_fact_is_a_mark_of_the_text(one_client: TestClient, one_platform: Platform) -> None:
    text = one_client.get("/models/1/card", headers=MARKDOWN).text.split("---\n", 2)[2]
    assert "<script>" not in text
    assert "[x](y)" not in text
    titles = re.findall("^#.*", text, re.MULTILINE)
    assert titles[:2] == ["# iris: target, version 1", "## How well it does"]
    assert all(title.startswith("## ") for title in titles[1:])
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1


def test_a_model_of_which_little_is_known_has_a_short_card(one_client: TestClient, one_platform: Platform) -> None:
    text = one_client.get("/models/2/card", headers=MARKDOWN).text
    assert front_matter(text)["pipeline_tag"] == "tabular-regression"
    assert "## Where it does better" not in text
    assert "None" not in text


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/markdown;q=0.5, application/json"])
def test_who_does_not_ask_for_a_text_gets_json(one_client: TestClient, one_platform: Platform, accept: str) -> None:
    answer = one_client.get("/models/1/card", headers={"Accept": accept})
    assert answer.json()["version"] == 1
    assert answer.headers["vary"] == "Accept"
