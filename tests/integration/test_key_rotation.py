"""A new artifact key: old seals verify, new ones are of the new key, and a change that was killed is finished."""

import re
import shutil
import signal
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select, update

from cli.launcher.home_lock import claimed
from shared.audit.actions import Action, Via
from shared.audit.chain import audit_key_of, use_key
from shared.audit.listing import list_entries
from shared.audit.recording import AuditEntry, record
from shared.audit.verifying import ChainVerdict, verify
from shared.database import Database
from shared.errors import ArtifactCorrupt, WrongSettings
from shared.exported.key import export_key_of
from shared.exported.manifest import ManifestSeal
from shared.exported.manifest import check_seal as check_manifest
from shared.fail_points import VARIABLE
from shared.registry.deployments import artifacts, read_artifact
from shared.registry.forms import read_form
from shared.registry.resealing import files_of_keys
from shared.registry.rotation import give_up, rotate
from shared.registry.rows import CompiledFormRow, DeploymentRow
from shared.registry.sealing import (
    KEY_FILE,
    Artifact,
    ArtifactKey,
    check_seal,
    load_artifact_key,
    read_artifact_key,
    reseal,
)
from shared.settings import Settings
from tests.support.command_line import PROGRAM, CommandLine, environment
from tests.support.jobs import add_job
from tests.support.registry import clean, register_model

MODELS = 3


@pytest.fixture
def home(tmp_path: Path, database_url: str) -> Settings:
    return Settings(home=tmp_path / "home", database_url=SecretStr(database_url))


@pytest.fixture
def first(home: Settings, database: Database) -> ArtifactKey:
    """The key of a platform with models, one of which has a compiled form, and with an entry of the record."""
    key = load_artifact_key(home)
    use_key(database, audit_key_of(key))
    seal_models(database, key)
    tell(database, "model 1")
    return key


def seal_models(database: Database, key: ArtifactKey) -> None:
    """Models, each sealed by that key."""
    data = clean(database)
    for version in range(1, MODELS + 1):
        job_id = add_job(database)
        with database.write() as session:
            register_model(session, data, version=version, job_id=job_id)
    with database.write() as session:
        for row in session.execute(artifacts()).all():
            made = reseal(key, read_artifact(*row))
            row[0].hmac, row[0].hmac_key_id = made.hmac, made.hmac_key_id
        deployment = session.scalars(select(DeploymentRow).order_by(DeploymentRow.id)).first()
        assert deployment is not None
        form = CompiledFormRow(
            deployment_id=deployment.id, form_path="form", sha256="1" * 64, size_bytes=2, hmac="", hmac_key_id=""
        )
        session.add(form)
        session.flush()
        row = session.execute(artifacts().where(DeploymentRow.id == deployment.id)).one()
        made = reseal(key, read_form(form, read_artifact(*row)))
        form.hmac, form.hmac_key_id = made.hmac, made.hmac_key_id


def tell(database: Database, subject: str) -> None:
    with database.write() as session:
        record(session, AuditEntry(action=Action.MODEL_CHANGED, subject=subject, actor="anna", via=Via.TOKEN))


def sealed(database: Database) -> list[Artifact]:
    """All that has a seal."""
    with database.read() as session:
        found = [read_artifact(*row) for row in session.execute(artifacts())]
        forms = session.execute(artifacts().join(CompiledFormRow).add_columns(CompiledFormRow))
        return found + [read_form(form, read_artifact(*row)) for *row, form in forms]


def files(database: Database) -> dict[str, int]:
    with database.read() as session:
        return files_of_keys(session)


def verdict(database: Database, key: ArtifactKey) -> ChainVerdict:
    with database.read() as session:
        return verify(session, audit_key_of(key))


def key_of(settings: Settings) -> ArtifactKey:
    key = read_artifact_key(settings)
    assert key is not None
    return key


def test_after_two_rotations_all_seals_are_of_the_newest_key_and_the_record_is_whole(
    home: Settings, database: Database, first: ArtifactKey
) -> None:
    for rotation in (1, 2):
        before = key_of(home)
        done = rotate(home, database)
        assert (done.before, done.resealed.anew, done.resealed.left) == (before.id, MODELS + 1, [])
        assert key_of(home).older[0].secret == before.secret
        assert files(database) == {key_of(home).id: MODELS + 1}
        tell(database, f"model {rotation}")
    newest = key_of(home)
    assert [key.id for key in newest.older][-1] == first.id
    for artifact in sealed(database):
        check_seal(newest, artifact)
        with pytest.raises(ArtifactCorrupt, match="was sealed with the key"):
            check_seal(first, artifact)
    assert verdict(database, newest).whole
    # Without the first key, its entries cannot be checked.
    assert verdict(database, replace(newest, older=newest.older[:1])).seq == 1
    with database.read() as session:
        entry = next(row for row in list_entries(session, limit=9) if row.action == Action.ARTIFACT_KEY_ROTATED)
    assert (entry.actor, entry.via, entry.subject) == ("system", "cli", f"artifact key {newest.id}")
    assert newest.secret.hex() not in str((entry.before, entry.after))


def test_the_key_file_is_for_the_owner_alone_after_a_rotation_too(
    home: Settings, database: Database, first: ArtifactKey
) -> None:
    rotate(home, database)
    path = home.home / KEY_FILE
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text().split() == [key_of(home).secret.hex(), first.secret.hex()]
    assert [each.name for each in home.home.iterdir()] == [KEY_FILE]


@pytest.mark.parametrize(
    "point",
    [
        "rotate.drafted",
        "rotate.keyed",
        pytest.param("rotate.batch", marks=pytest.mark.thorough),
        pytest.param("rotate.sealed", marks=pytest.mark.thorough),
    ],
)
def test_a_rotation_that_was_killed_lost_nothing_and_is_finished_by_the_next(
    tmp_path: Path, home: Settings, database: Database, first: ArtifactKey, point: str
) -> None:
    here = {"MLMINI_HOME": str(home.home), "MLMINI_DATABASE_URL": home.sqlalchemy_url, VARIABLE: f"{point}=kill9"}
    killed = subprocess.run([*PROGRAM, "keys", "rotate"], cwd=tmp_path, env=environment(here), check=False)
    assert killed.returncode == -signal.SIGKILL
    between = key_of(home)
    for artifact in sealed(database):
        check_seal(between, artifact)
    assert verdict(database, between).whole
    done = rotate(home, database)
    is_new = point == "rotate.drafted"
    assert (done.before, key_of(home).older[-1].id) == (first.id if is_new else None, first.id)
    assert len(key_of(home).older) == 1
    assert files(database) == {key_of(home).id: MODELS + 1}
    assert (verdict(database, key_of(home)).whole, verdict(database, key_of(home)).head.count) == (True, 2)


def test_who_has_the_old_key_cannot_add_an_entry_or_set_the_count_back(
    home: Settings, database: Database, first: ArtifactKey
) -> None:
    rotate(home, database)
    key = key_of(home)
    use_key(database, audit_key_of(first))
    tell(database, "by a thief")
    found = verdict(database, key)
    assert (found.seq, "somebody who has the older key added it" in found.problem) == (3, True)
    with pytest.raises(WrongSettings, match="somebody who has the older key"):
        rotate(home, database)


def test_keys_in_the_wrong_order_are_found_and_not_rotated(
    home: Settings, database: Database, first: ArtifactKey
) -> None:
    rotate(home, database)
    path = home.home / KEY_FILE
    path.write_text("\n".join(reversed(path.read_text().split())))
    assert "not in their order, the newest first" in verdict(database, key_of(home)).problem
    with pytest.raises(WrongSettings, match="put the newest first"):
        rotate(home, database)
    assert files(database).get(first.id) is None


def test_a_seal_that_does_not_hold_is_left_and_does_not_keep_the_key_from_being_changed_again(
    home: Settings, database: Database, first: ArtifactKey
) -> None:
    with database.write() as session:
        session.execute(update(DeploymentRow).where(DeploymentRow.version == 2).values(size_bytes=77))
    done = rotate(home, database)
    assert (done.resealed.anew, len(done.resealed.left)) == (MODELS, 1)
    assert files(database) == {key_of(home).id: MODELS, first.id: 1}
    again = rotate(home, database)
    assert again.before == done.key.id
    with pytest.raises(WrongSettings, match="Models still have seals of an older key"):
        give_up(home, database)


def test_given_up_keys_check_the_record_and_no_seal(home: Settings, database: Database, first: ArtifactKey) -> None:
    old = sealed(database)
    rotate(home, database)
    assert give_up(home, database) == 1
    key = key_of(home)
    assert first.secret.hex() not in (home.home / KEY_FILE).read_text()
    with pytest.raises(ArtifactCorrupt, match=f"sealed with the key {first.id}"):
        check_seal(key, old[0])
    assert verdict(database, key).whole
    rotate(home, database)
    assert give_up(home, database) == 1
    assert verdict(database, key_of(home)).whole
    assert give_up(home, database) == 0


def test_keys_in_variables_are_explained_and_then_used(home: Settings, database: Database) -> None:
    old, new = ("the old secret, longer than thirty-two letters", "the new secret, longer than thirty-two letters")
    before = home.model_copy(update={"artifact_key": SecretStr(old)})
    seal_models(database, key_of(before))
    use_key(database, audit_key_of(key_of(before)))
    tell(database, "model 1")
    with pytest.raises(WrongSettings, match="MLMINI_ARTIFACT_KEYS_OLD") as told:
        rotate(before, database)
    assert old not in str(told.value)
    after = home.model_copy(update={"artifact_key": SecretStr(new), "artifact_keys_old": SecretStr(f"{old}\n")})
    done = rotate(after, database)
    assert (done.before, done.resealed.anew) == (None, MODELS + 1)
    assert files(database) == {ArtifactKey(new.encode()).id: MODELS + 1}
    assert verdict(database, key_of(after)).whole
    with pytest.raises(WrongSettings, match="it has sealed everything"):
        rotate(after, database)
    with pytest.raises(WrongSettings, match="which this cannot change"):
        give_up(after, database)


def test_a_lost_key_is_told_in_the_same_words_by_the_verbs(
    tmp_path: Path, home: Settings, database: Database, first: ArtifactKey
) -> None:
    (home.home / KEY_FILE).unlink()
    said = f"{KEY_FILE} is missing from the home folder, and models ({MODELS}) were sealed with {first.id}. Bring"
    with pytest.raises(WrongSettings, match=re.escape(said)):
        rotate(home, database)
    with pytest.raises(WrongSettings, match=re.escape(said)):
        give_up(home, database)
    assert not (home.home / KEY_FILE).exists()


def test_a_folder_that_was_exported_before_is_still_known(first: ArtifactKey) -> None:
    later = ArtifactKey(b"n" * 32, (first,))
    seal = ManifestSeal.make(b"{}", export_key_of(first))
    assert check_manifest(b"{}", seal, export_key_of(later))
    assert not check_manifest(b"{}", seal, export_key_of(ArtifactKey(b"n" * 32)))


@pytest.fixture
def here(tmp_path: Path, sqlite_template: Path) -> Any:
    """A platform on SQLite below its home, as variables."""
    (tmp_path / "home").mkdir(mode=0o700)
    shutil.copyfile(sqlite_template, tmp_path / "home" / "ml_registry.db")
    database = Database(f"sqlite:///{tmp_path}/home/ml_registry.db")
    seal_models(database, load_artifact_key(Settings(home=tmp_path / "home")))
    # What was written is in its file from here on, not beside it.
    database.close()
    return {"MLMINI_HOME": str(tmp_path / "home")}


def test_a_restored_database_of_before_is_sealed_anew(tmp_path: Path, here: Any) -> None:
    settings, path = Settings(home=tmp_path / "home"), tmp_path / "home" / "ml_registry.db"
    shutil.copyfile(path, tmp_path / "backup.db")
    database = Database(settings.sqlalchemy_url)
    rotate(settings, database)
    database.close()
    for left in path.parent.glob("ml_registry.db*"):
        left.unlink()
    shutil.copyfile(tmp_path / "backup.db", path)
    restored, key = Database(settings.sqlalchemy_url), key_of(settings)
    for artifact in sealed(restored):
        check_seal(key, artifact)
    done = rotate(settings, restored)
    assert (done.before, done.resealed.anew, key_of(settings).id) == (None, MODELS + 1, key.id)
    restored.close()


def test_the_verbs_show_names_of_keys_and_never_the_keys(tmp_path: Path, here: Any) -> None:
    mlmini, settings = CommandLine(tmp_path), Settings(home=tmp_path / "home")
    first = key_of(settings)
    with claimed(settings.home):
        refused = mlmini.run("keys", "rotate", **here)
    assert (refused.status, "the platform already runs on" in refused.err) == (1, True)
    done = mlmini.succeed("keys", "rotate", **here)
    newest = key_of(settings)
    assert f"The new key is {newest.id}, and {first.id} only verifies from now on. 4 seals made anew." in done.out
    listed = mlmini.succeed("keys", "list", "--json", **here)
    assert listed.document["keys"] == [
        {"key": newest.id, "state": "present", "files": MODELS + 1},
        {"key": first.id, "state": "older", "files": 0},
    ]
    retired = mlmini.succeed("keys", "retire", **here)
    assert retired.out.startswith("1 older key given up.")
    assert "record: " in mlmini.succeed("keys", "list", **here).out
    for shown in (done, listed, retired):
        for key in (first, newest):
            assert key.secret.hex() not in shown.out + shown.err
