"""A server that is killed while it reads a dataset anew: the version stays, and nothing else does for ever."""

from collections.abc import Iterator
from pathlib import Path
from typing import IO

import httpx2
import pytest
from sqlalchemy import update

from api.parts import Parts
from shared.clock import Now
from shared.datasets.catalog import find_entry
from shared.datasets.rows import DatasetVersionRow, VersionState
from shared.datasets.unfinished import STALE_SECONDS, clean_stale_uploads
from shared.settings import Settings
from tests.support import mortal_api
from tests.support.api_server import ApiServer, serving
from tests.support.catalog import Catalog
from tests.support.objects import read
from tests.support.processes import ROOT, launch
from tests.support.server import running
from tests.support.stack import Embedded
from tests.support.zygote import Program

TABLE = b"zip,n\n10115,1\n20095,2\n"
KINDS = {"kinds": {"zip": "category"}}
# How many versions there are when the server dies, and which of them can be seen.
UNDER_WAY = [(1, "ready"), (None, "uploading")]
LEFT = {
    "nothing": [(1, "ready")],
    "a row": UNDER_WAY,
    "a row and half of its object": UNDER_WAY,
    "a row and its object": UNDER_WAY,
    "all but the commit": UNDER_WAY,
    "all but the answer": [(1, "ready"), (2, "ready")],
}


class MortalServer(ApiServer):
    """The API of `mortal_api`, which dies in the midst of a reread."""

    def __init__(self, settings: Settings, place: str) -> None:
        """`place` says what there is of the new version by then."""
        self._is_half = place not in mortal_api.PLACES
        dies = {"MLMINI_FAIL": "put.half=kill9"} if self._is_half else {mortal_api.VARIABLE: place}
        super().__init__(settings)
        self._variables = {"PYTHONPATH": str(ROOT), **dies}

    def _process(self, log: IO[bytes]) -> Program:
        module = "api.server" if self._is_half else mortal_api.MODULE
        return launch([module], env=self.environment(), cwd=self.folder, output=log, stem=True)


@pytest.fixture(scope="module")
def survivor(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[tuple[str, Parts]]:
    """Another server of the same home, which goes on."""
    with Embedded(sqlite_template).settings(tmp_path_factory.mktemp("home")) as settings, serving(settings) as served:
        yield served


def versions(parts: Parts, name: str) -> list[tuple[int | None, str]]:
    catalog = Catalog(parts.database, parts.store, parts.reader, parts.settings)
    return [(number, state) for each, number, state in catalog.versions() if each == name]


def objects(parts: Parts, name: str) -> list[str]:
    return [each.key for each in parts.store.list(parts.settings.datasets_bucket, f"{name}/")]


def unfinished(parts: Parts) -> list[Path]:
    return list((parts.settings.home / "store" / ".unfinished").iterdir())


def forget(parts: Parts) -> None:
    """What a janitor does an hour later, and the store a day later."""
    with parts.database.write() as session:
        under_way = DatasetVersionRow.state == VersionState.UPLOADING
        session.execute(update(DatasetVersionRow).where(under_way).values(created_at=Now(-STALE_SECONDS - 1)))
    clean_stale_uploads(parts.database, parts.store, parts.settings)
    parts.store.abort_stale(older_than_seconds=-1, is_ours=lambda _bucket, _key: True)


@pytest.mark.parametrize("place", LEFT)
def test_a_reread_that_is_killed_leaves_the_version_and_succeeds_the_next_time(
    survivor: tuple[str, Parts], place: str
) -> None:
    url, parts = survivor
    name = place.replace(" ", "_")
    uploaded = httpx2.post(f"{url}/datasets/upload", files={"file": (f"{name}.csv", TABLE)}, timeout=60)
    assert uploaded.status_code == 201, uploaded.text
    mortal = MortalServer(parts.settings, place)
    with running(mortal):
        with pytest.raises(httpx2.TransportError):
            httpx2.post(f"{mortal.url}/datasets/{name}/reread", json=KINDS, timeout=60)
        assert mortal.process is not None
        assert mortal.process.wait(timeout=30) == -9
    assert versions(parts, name) == LEFT[place]
    shown = httpx2.get(f"{url}/datasets/{name}/preview", params={"version": 1}, timeout=60).json()
    assert shown["rows"] == [[10115, 1], [20095, 2]]

    again = httpx2.post(f"{url}/datasets/{name}/reread", json=KINDS, timeout=60)
    assert (again.status_code, again.json()["version"]) == (200 if place == "all but the answer" else 201, 2)
    assert again.json()["columns"][0]["kind"] == "category"
    forget(parts)
    assert versions(parts, name) == [(1, "ready"), (2, "ready")]
    assert len(objects(parts, name)) == 2
    assert unfinished(parts) == []
    with parts.database.read() as session:
        first = find_entry(session, name, 1).version
    assert (first.options, first.sha256) == ({}, uploaded.json()["sha256"])
    assert read(parts.store, parts.settings.datasets_bucket, first.object_key) == TABLE
