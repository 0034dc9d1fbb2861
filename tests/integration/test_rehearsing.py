"""`mlmini rehearse`: whether models load under the libraries that are here and say the same, without the platform."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from cli.actions.rehearsing import rehearse
from shared.database import Database
from shared.datasets.catalog import find_entry
from shared.datasets.examples import ensure_example
from shared.jobs.rows import JobRow
from shared.migration import upgrade
from shared.object_store import open_store
from shared.registry.rows import PinRow, RegistryRow
from shared.settings import Settings
from shared.tables.columns import Column
from shared.tables.loading import read_table
from shared.tables.reader import Reader
from shared.tables.reading import Reading
from shared.training.trainer import train
from tests.support.models import Fitted, Platform, open_platform
from tests.support.objects import keys, read
from tests.support.registry import Data
from tests.support.site import environment_of
from tests.support.training_tables import quiet, spec_of

EQUAL, CHANGED, DAMAGED, RELEASE, BARE, UNREAD = range(1, 7)


@pytest.fixture
def platform(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """An installation that does not run."""
    here = settings.model_copy(update={"home": tmp_path / "home"})
    for name, value in environment_of(here).items():
        monkeypatch.setenv(name, value)
    database, store = Database(here.sqlalchemy_url), open_store(here)
    upgrade(database)
    store.prepare()
    yield open_platform(database, store, here, tmp_path)
    store.close()
    database.close()


def trained(platform: Platform) -> tuple[Fitted, dict[str, Any], Data]:
    """A model of iris, trained as a worker does it, with its metrics and its request."""
    settings, reader = platform.settings, Reader(platform.settings)
    ensure_example("iris", database=platform.database, store=platform.store, reader=reader, settings=settings)
    reader.close()
    with platform.database.read() as session:
        entry = find_entry(session, "iris")
    row, spec = entry.version, spec_of("tree.DecisionTreeClassifier", dataset_name="iris")
    columns = [Column.model_validate(column) for column in row.columns]
    file = platform.folder / "table"
    file.write_bytes(read(platform.store, settings.datasets_bucket, row.object_key))
    table = read_table(file, Reading.model_validate(row.reading), columns=columns)
    facts = (made := train(spec, table, columns, threads=1, folds=0, on_step=quiet)).facts
    fitted = Fitted(made.model, facts.signature, facts.environment, pin=facts.pin)
    return fitted, {"metrics": facts.metrics, "request": spec.to_store()}, Data(entry.dataset.id, row.id)


def register_some(platform: Platform) -> None:
    """One model for each thing that can become of it."""
    fitted, values, data = trained(platform)
    pin = fitted.pin
    assert pin is not None
    assert pin.golden is not None
    golden = pin.golden
    other = golden.model_copy(update={"labels": ["another", *(golden.labels or [])[1:]]})
    changed = replace(fitted, pin=pin.model_copy(update={"golden": other}))
    release = replace(fitted, environment=fitted.environment | {"scikit-learn": "0.1.0"})
    for each in (fitted, changed, fitted, release, replace(fitted, pin=None), fitted):
        platform.train(data, each)
    platform.overwrite(f"iris_model_dev_v{DAMAGED}.pkl", lambda _: b"other bytes")
    with platform.database.write() as session:
        session.execute(update(RegistryRow).values(metrics=values["metrics"]))
        session.execute(update(JobRow).values(request=values["request"]))
        unread = select(RegistryRow.job_id).where(RegistryRow.version == UNREAD).scalar_subquery()
        session.execute(update(JobRow).where(JobRow.id == unread).values(request={}))


def test_each_model_is_equal_changed_or_broken_and_says_why(
    platform: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    register_some(platform)
    before = contents(platform)
    assert rehearse([EQUAL, CHANGED, DAMAGED, RELEASE, BARE], refit=False, as_json=True) == 1
    document = json.loads(capsys.readouterr().out)
    items = {each["version"]: each for each in document["items"]}
    assert document["equal"] is False
    assert {version: each["verdict"] for version, each in items.items()} == {
        EQUAL: "equal",
        CHANGED: "changed",
        DAMAGED: "broken",
        RELEASE: "broken",
        BARE: "unknown",
    }
    assert items[EQUAL]["rows"] == {"compared": 20, "different": 0, "largest_difference": 0.0}
    assert (items[EQUAL]["stages"], items[EQUAL]["libraries"]) == (["dev"], {})
    assert items[CHANGED]["reason"] == "Another answer for 1 of 20 rows."
    assert "scikit-learn 0.1.0" in items[RELEASE]["reason"]
    assert "No rows were kept with it" in items[BARE]["reason"]

    assert rehearse([EQUAL, BARE, CHANGED, UNREAD], refit=True, as_json=True) == 1
    items = {each["version"]: each for each in json.loads(capsys.readouterr().out)["items"]}
    assert [each["verdict"] for each in items.values()] == ["equal", "equal", "changed", "broken"]
    assert items[EQUAL]["refit"]["equal"]
    assert items[CHANGED]["refit"]["rows"]["different"] == 1
    assert "Training it again fails: Version 6 was trained by a request" in items[UNREAD]["reason"]
    assert contents(platform) == before


def test_the_exit_status_is_0_only_if_all_are_equal(platform: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    assert rehearse([], refit=False, as_json=False) == 0
    assert "nothing to rehearse" in capsys.readouterr().out
    fitted, _, data = trained(platform)
    platform.train(data, fitted)
    assert rehearse([], refit=False, as_json=False) == 0
    assert "All are equal." in capsys.readouterr().out


def contents(platform: Platform) -> list[Any]:
    """What a training would add to."""
    with platform.database.read() as session:
        counts = [_count(session, row) for row in (JobRow, RegistryRow, PinRow)]
    return [*counts, keys(platform.store, platform.settings.models_bucket)]


def _count(session: Session, row: Any) -> int:
    return session.scalar(select(func.count()).select_from(row)) or 0
