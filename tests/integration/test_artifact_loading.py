"""Model files that somebody changed: each is refused, and nothing of it runs."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import SecretStr
from sqlalchemy import update

from shared.database import Database
from shared.errors import ArtifactCorrupt, ModelUnavailable, NotActive
from shared.hashing import digest_of
from shared.object_store import ObjectStore
from shared.prediction.lookup import find_served
from shared.registry import deployments
from shared.registry.artifact import fetch, load_fetched
from shared.registry.rows import DeploymentRow, RegistryRow
from shared.registry.sealing import Artifact, load_artifact_key, reseal
from shared.settings import Settings
from tests.support.models import LIBRARIES, Platform, attackers_pickle, doubling, iris_forest, open_platform


@pytest.fixture
def platform(sqlite_url: str, store: ObjectStore, store_settings: Settings, tmp_path: Path) -> Iterator[Platform]:
    database = Database(sqlite_url)
    yield open_platform(database, store, store_settings, tmp_path)
    database.close()


def registered(platform: Platform, version: int) -> Artifact:
    with platform.database.read() as session:
        found = deployments.active(session, version, "dev")
    assert found is not None
    return found


def load(platform: Platform, artifact: Artifact) -> Any:
    path = platform.folder / "fetched"
    fetch(platform.store, platform.settings, platform.key, artifact, path)
    return load_fetched(path, version=artifact.version, sha256=artifact.seal.sha256, environment=artifact.environment)


def replaced(changed: bytes, _: bytes) -> bytes:
    return changed


def flip_a_byte(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def test_a_registered_model_loads_and_predicts(platform: Platform) -> None:
    artifact = registered(platform, platform.train(platform.dataset()))
    assert load(platform, artifact).predict([[5.1, 3.5, 1.4, 0.2]]).tolist() == ["setosa"]


CHANGES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "a flipped byte": (flip_a_byte, "other contents"),
    "a truncated file": (lambda data: data[:-1], "another size"),
    "half of a file": (lambda data: data[: len(data) // 2], "another size"),
    "an empty file": (lambda _: b"", "another size"),
    "a longer file": (lambda data: data + b".", "another size"),
    "a much longer file": (lambda data: data + bytes(3 * 2**20), "another size"),
}


@pytest.mark.parametrize(("change", "said"), CHANGES.values(), ids=CHANGES.keys())
def test_a_changed_file_is_refused(platform: Platform, change: Callable[[bytes], bytes], said: str) -> None:
    artifact = registered(platform, platform.train(platform.dataset()))
    platform.overwrite(artifact.artifact_path, change)
    with pytest.raises(ArtifactCorrupt, match=said):
        load(platform, artifact)


@pytest.mark.asvs("1.5.2", "5.3.1")
def test_an_attackers_pickle_under_the_right_name_is_never_run(platform: Platform, tmp_path: Path) -> None:
    artifact = registered(platform, platform.train(platform.dataset()))
    trace = tmp_path / "trace"
    payload = attackers_pickle(trace)
    # Of the same size too, so that only the digest can tell.
    padding = bytes(artifact.seal.size_bytes - len(payload))
    for changed in (payload, payload + padding):
        platform.overwrite(artifact.artifact_path, partial(replaced, changed))
        with pytest.raises(ArtifactCorrupt):
            load(platform, artifact)
    assert not trace.exists()


def test_an_attackers_digest_in_the_database_does_not_help_without_the_key(platform: Platform, tmp_path: Path) -> None:
    artifact = registered(platform, platform.train(platform.dataset()))
    trace = tmp_path / "trace"
    other = load_artifact_key(platform.settings.model_copy(update={"artifact_key": SecretStr("an attacker's key" * 2)}))
    forged = platform.folder / "forged"
    forged.write_bytes(attackers_pickle(trace))
    platform.overwrite(artifact.artifact_path, lambda _: forged.read_bytes())
    changed = replace(artifact, seal=_seal_of(forged, artifact))
    for seal in (
        changed.seal,
        replace(reseal(other, changed), hmac_key_id=platform.key.id),
        reseal(other, changed),
    ):
        with pytest.raises(ArtifactCorrupt):
            load(platform, replace(artifact, seal=seal))
    assert not trace.exists()


def test_a_row_that_points_to_another_models_file_is_refused(platform: Platform) -> None:
    data = platform.dataset()
    one = registered(platform, platform.train(data))
    other = registered(platform, platform.train(data, doubling()))
    with pytest.raises(ArtifactCorrupt):
        load(platform, replace(one, artifact_path=other.artifact_path))
    # Even with all that the other row says about its file: the seal binds the file to its version.
    with pytest.raises(ArtifactCorrupt, match="valid signature"):
        load(platform, replace(one, artifact_path=other.artifact_path, seal=other.seal))


@pytest.mark.parametrize("change", [{"version": 99}, {"environment": {"scikit-learn": "1.8.0"}}])
def test_facts_that_were_changed_in_the_database_are_refused(platform: Platform, change: dict[str, Any]) -> None:
    artifact = registered(platform, platform.train(platform.dataset()))
    with pytest.raises(ArtifactCorrupt, match="valid signature"):
        load(platform, replace(artifact, **change))


def test_a_deployment_that_was_pointed_to_another_dataset_or_stage_does_not_answer_there(platform: Platform) -> None:
    iris, wine = platform.dataset(), platform.dataset("wine")
    version = platform.train(iris)
    with platform.database.write() as session:
        session.execute(update(DeploymentRow).values(dataset_id=wine.dataset_id))
    with pytest.raises(ArtifactCorrupt, match="valid signature"):
        load(platform, registered(platform, version))
    with platform.database.write() as session:
        session.execute(update(DeploymentRow).values(dataset_id=iris.dataset_id, stage="production"))
        moved = deployments.active(session, version, "production")
    assert moved is not None
    with pytest.raises(ArtifactCorrupt, match="valid signature"):
        load(platform, moved)


def test_a_version_that_was_pointed_to_another_dataset_does_not_answer_there(platform: Platform) -> None:
    iris, wine = platform.dataset(), platform.dataset("wine")
    version, serving = platform.train(iris), platform.train(wine)
    with platform.database.write() as session:
        session.execute(update(RegistryRow).where(RegistryRow.version == version).values(dataset_id=wine.dataset_id))
    with platform.database.read() as session, pytest.raises(NotActive, match=f"version {serving} serves there"):
        find_served(session, dataset_name="wine", environment="dev", version=version, stages=platform.settings.stages)


def test_of_a_much_larger_file_no_more_is_read_than_tells_it_apart(platform: Platform, tmp_path: Path) -> None:
    artifact = registered(platform, platform.train(platform.dataset()))
    platform.overwrite(artifact.artifact_path, lambda data: data + bytes(8 * 2**20))
    counted = Counted(platform.store)
    with pytest.raises(ArtifactCorrupt, match="another size"):
        fetch(cast("ObjectStore", counted), platform.settings, platform.key, artifact, tmp_path / "copy")
    assert counted.bytes_read == artifact.seal.size_bytes + 1


class Counted:
    """A store that counts the bytes which it gives out."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self.bytes_read = 0

    @contextmanager
    def open(self, bucket: str, key: str, **part: Any) -> Iterator[io.BytesIO]:
        with self._store.open(bucket, key, **part) as file:
            counting = io.BytesIO(file.read())
        yield counting
        self.bytes_read += counting.tell()


def test_a_missing_file_is_named(platform: Platform) -> None:
    artifact = registered(platform, platform.train(platform.dataset()))
    platform.store.delete(platform.settings.models_bucket, artifact.artifact_path)
    with pytest.raises(ArtifactCorrupt, match=r"'iris_model_dev_v1\.pkl' is missing"):
        load(platform, artifact)


@pytest.mark.parametrize("release", ["0.24.2", "1.8.3", ""])
def test_a_model_of_another_release_of_scikit_learn_is_refused_with_both_numbers(
    platform: Platform, release: str
) -> None:
    fitted = replace(iris_forest(), environment={**LIBRARIES, "scikit-learn": release})
    artifact = registered(platform, platform.train(platform.dataset(), fitted))
    with pytest.raises(
        ModelUnavailable, match=f"scikit-learn {release or '.unknown.'}, but {LIBRARIES['scikit-learn']}"
    ):
        load(platform, artifact)


def test_a_model_that_was_sealed_with_another_key_says_which_keys_differ(platform: Platform) -> None:
    artifact = registered(platform, platform.train(platform.dataset()))
    other = load_artifact_key(platform.settings.model_copy(update={"artifact_key": SecretStr("another key " * 4)}))
    with pytest.raises(ArtifactCorrupt, match=f"{platform.key.id}.*{other.id}"):
        fetch(platform.store, platform.settings, other, artifact, platform.folder / "fetched")


def test_a_file_that_is_no_model_at_all_is_refused_cleanly(platform: Platform) -> None:
    broken = replace(doubling(), model=Broken(1))
    version = platform.train(platform.dataset(), broken)
    with pytest.raises(ModelUnavailable, match="cannot be loaded"):
        load(platform, registered(platform, version))


class Broken:
    """A model whose code is gone, or has changed, when it is loaded."""

    def __init__(self, value: int) -> None:
        self.value = value

    def get_params(self) -> dict[str, int]:
        return {}

    def __reduce__(self) -> tuple[Any, ...]:
        return (int, ("no number",))


def _seal_of(file: Path, artifact: Artifact) -> Any:
    sha256, size_bytes = digest_of(file)
    return replace(artifact.seal, sha256=sha256, size_bytes=size_bytes)
