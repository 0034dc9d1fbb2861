"""Exported folders: whole or not there, checked to the last byte, and never a pickle of somebody else."""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.database import Database
from shared.errors import ArtifactCorrupt
from shared.exported import exporting
from shared.exported.exporting import FolderInTheWay, export, find_wanted
from shared.exported.folder import open_folder
from shared.exported.key import ExportKey, export_key_of
from shared.exported.manifest import FolderRefused, ManifestSeal
from shared.exported.serving import load_exported
from shared.object_store import ObjectStore
from shared.prediction.computing import ModelInForm
from shared.prediction.processes import PredictingProcesses
from shared.registry.sealing import KEY_FILE
from shared.settings import Settings
from tests.support.command_line import CommandLine, Ended, Verb
from tests.support.models import Platform, attackers_pickle, iris_forest, open_platform, with_target
from tests.support.processes import contents
from tests.support.site import environment_of

ROW = [5.1, 3.5, 1.4, 0.2]
FILES = ["model.json", "model.npz", "seal.json"]


@pytest.fixture
def platform(sqlite_url: str, store: ObjectStore, store_settings: Settings, tmp_path: Path) -> Iterator[Platform]:
    """On both kinds of object store."""
    database = Database(sqlite_url)
    yield open_platform(database, store, store_settings, tmp_path)
    database.close()


@pytest.fixture
def here(tmp_path: Path) -> Settings:
    """Where folders are served: nothing of the platform is there."""
    settings = Settings(home=tmp_path / "elsewhere")
    settings.scratch.mkdir(parents=True)
    return settings


def exported(platform: Platform, folder: Path, version: int = 1, *, replace: bool = False) -> ExportKey:
    """Export a version, and return the key of the seal."""
    key = export_key_of(platform.key)
    served = find_wanted(platform.database, platform.settings, version)
    export(
        served,
        folder,
        store=platform.store,
        settings=platform.settings,
        key=platform.key,
        export_key=key,
        replace=replace,
    )
    return key


@pytest.fixture
def folder(platform: Platform, tmp_path: Path) -> Path:
    """A compiled model as it was exported."""
    platform.train(platform.dataset(), iris_forest().in_form())
    exported(platform, tmp_path / "exported")
    return tmp_path / "exported"


@pytest.fixture
def pickled(platform: Platform, tmp_path: Path) -> tuple[Path, ExportKey]:
    """A model without a compiled form, and its key."""
    platform.train(platform.dataset(), iris_forest())
    return tmp_path / "pickled", exported(platform, tmp_path / "pickled")


def loaded(folder: Path, here: Settings, key: ExportKey | None = None) -> Any:
    """What a server has in memory."""
    processes = PredictingProcesses(here)
    try:
        return load_exported(open_folder(folder, key), here, processes).predictor.computes
    finally:
        processes.close()


def refusal(folder: Path, here: Settings, key: ExportKey | None = None) -> str:
    """Why a folder is not served."""
    with pytest.raises(FolderRefused) as refused:
        loaded(folder, here, key)
    return str(refused.value)


def test_a_compiled_model_needs_no_key_and_is_checked_where_there_is_one(
    platform: Platform, folder: Path, here: Settings
) -> None:
    assert sorted(path.name for path in folder.iterdir()) == FILES
    assert isinstance(loaded(folder, here), ModelInForm)
    assert not open_folder(folder, None).sealed
    assert open_folder(folder, export_key_of(platform.key)).sealed
    # Of another home, whose key says nothing of this folder.
    assert not open_folder(folder, ExportKey(b"another key")).sealed


@pytest.mark.parametrize("name", FILES)
def test_a_byte_that_is_another_one_is_refused_wherever_it_is(folder: Path, here: Settings, name: str) -> None:
    content = (folder / name).read_bytes()
    for place in {*range(0, len(content), max(1, len(content) // 150)), len(content) - 1}:
        changed = bytearray(content)
        changed[place] ^= 1
        (folder / name).write_bytes(changed)
        said = refusal(folder, here)
        assert name in said or "has the format" in said, (place, said)
    (folder / name).write_bytes(content)
    loaded(folder, here)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "change",
    [lambda content: content[:-1], lambda content: content[:0], lambda content: content + b"\n"],
    ids=["less", "0", "more"],
)
def test_a_file_that_is_shorter_or_longer_is_refused(
    folder: Path, here: Settings, name: str, change: Callable[[bytes], bytes]
) -> None:
    (folder / name).write_bytes(change((folder / name).read_bytes()))
    assert name in refusal(folder, here)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_missing_or_is_none_is_told_by_its_name(folder: Path, here: Settings, name: str) -> None:
    (folder / name).unlink()
    assert f"{name} is missing from {folder}" in refusal(folder, here)
    (folder / name).mkdir()
    assert f"{name} cannot be read" in refusal(folder, here)


def test_what_is_no_folder_is_told(folder: Path, here: Settings) -> None:
    assert "does not exist" in refusal(folder / "none", here)
    assert "is not a folder" in refusal(folder / "model.json", here)


def test_files_that_are_links_are_followed(folder: Path, here: Settings, tmp_path: Path) -> None:
    # As volumes of Kubernetes have them.
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    for path in folder.iterdir():
        (mounted / path.name).symlink_to(path)
    loaded(mounted, here)


def rewritten(folder: Path, change: Callable[[dict[str, Any]], None], key: ExportKey) -> None:
    """Change the manifest, and seal it anew."""
    manifest = json.loads((folder / "model.json").read_text())
    change(manifest)
    text = json.dumps(manifest).encode()
    (folder / "model.json").write_bytes(text)
    (folder / "seal.json").write_bytes(ManifestSeal.make(text, key).written())


@pytest.mark.parametrize("number", [0, 2, "1", None])
def test_another_format_is_told_with_both_numbers_and_the_release(folder: Path, here: Settings, number: object) -> None:
    rewritten(folder, lambda manifest: manifest.update(format=number, platform="0.0.9"), ExportKey(b"x"))
    said = refusal(folder, here)
    assert f"has the format {number!r} (release 0.0.9), and this release serves the format 1" in said
    assert "Export the model again with this release" in said


def test_a_manifest_of_another_program_is_told(folder: Path, here: Settings) -> None:
    rewritten(folder, lambda manifest: manifest.pop("signature"), ExportKey(b"x"))
    assert "model.json is not of the form that this release reads (signature)" in refusal(folder, here)


FORGED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "fewer columns": (lambda signature: signature["inputs"].pop(), "it takes other columns"),
    "words": (lambda signature: signature["inputs"][0].update(kind="category"), "it takes other columns"),
    "fewer labels": (lambda signature: signature["classes"].pop(), "it has other labels"),
    "more labels": (lambda signature: signature["classes"].append("d"), "it has other labels"),
    "numbers": (lambda signature: signature.update(task="regression", classes=None), "it has other labels"),
}


@pytest.mark.parametrize("case", FORGED)
def test_a_manifest_that_does_not_fit_its_model_is_told(folder: Path, here: Settings, case: str) -> None:
    forge, told = FORGED[case]

    def rewrite(manifest: dict[str, Any]) -> None:
        forge(manifest["signature"])

    rewritten(folder, rewrite, ExportKey(b"x"))
    said = refusal(folder, here)
    assert "is not of the model that its manifest describes" in said
    assert told in said


def test_a_pickle_is_loaded_with_its_key_alone(
    pickled: tuple[Path, ExportKey], here: Settings, platform: Platform
) -> None:
    folder, key = pickled
    assert loaded(folder, here, key).name == "RandomForestClassifier"
    assert "there is no key here" in refusal(folder, here)
    assert "the key here is" in refusal(folder, here, ExportKey(b"another key"))
    assert "MLMINI_EXPORT_KEY is the key" in refusal(folder, here, ExportKey(b"another key", chosen=True))


@pytest.mark.asvs("1.5.2")
def test_nothing_of_a_foreign_pickle_is_run(pickled: tuple[Path, ExportKey], here: Settings, tmp_path: Path) -> None:
    folder, key = pickled
    trace = tmp_path / "trace"
    evil = attackers_pickle(trace)
    (folder / "model.pkl").write_bytes(evil)
    assert "model.pkl has another size" in refusal(folder, here, key)

    def name_it(manifest: dict[str, Any]) -> None:
        manifest["file"] |= {"sha256": hashlib.sha256(evil).hexdigest(), "size_bytes": len(evil)}

    rewritten(folder, name_it, ExportKey(b"of the attacker"))
    assert "there is no key here" in refusal(folder, here)
    assert "the key here is" in refusal(folder, here, key)
    seal = json.loads((folder / "seal.json").read_text()) | {"key": key.id}
    seal["check"] = hashlib.sha256("\n".join((seal["sha256"], seal["key"], seal["hmac"])).encode()).hexdigest()
    (folder / "seal.json").write_bytes(ManifestSeal(**seal).written())
    assert "does not carry a valid signature" in refusal(folder, here, key)
    # Said to be data, it is read as data.
    rewritten(folder, lambda manifest: manifest["file"].update(kind="form"), ExportKey(b"of the attacker"))
    (folder / "model.npz").write_bytes(evil)
    assert "model.npz is no compiled form" in refusal(folder, here)
    assert not trace.exists()


def test_the_key_of_the_registry_does_not_follow_from_that_of_exports(platform: Platform) -> None:
    key = export_key_of(platform.key)
    assert key.secret != platform.key.secret
    assert key.id != platform.key.id
    assert key.secret.hex() not in repr(key)


def test_a_folder_that_is_there_stays_unless_it_is_to_be_replaced(platform: Platform, folder: Path) -> None:
    before = contents(folder)
    platform.train(platform.dataset("other"), iris_forest(seed=1).in_form(), name="other")
    with pytest.raises(FolderInTheWay, match="exists already"):
        exported(platform, folder, 2)
    assert contents(folder) == before
    exported(platform, folder, 2, replace=True)
    assert open_folder(folder, None).manifest.version == 2
    assert [path.name for path in folder.parent.iterdir() if path.name.startswith(".exported")] == []


def test_what_is_no_exported_model_is_never_replaced(platform: Platform, folder: Path, tmp_path: Path) -> None:
    mine, link = tmp_path / "mine", tmp_path / "link"
    mine.mkdir()
    (mine / "thesis.txt").touch()
    link.symlink_to(folder)
    for target in (mine, link, mine / "thesis.txt"):
        with pytest.raises(FolderInTheWay, match="is no exported model"):
            exported(platform, target, replace=True)
    assert (mine / "thesis.txt").exists()


@pytest.mark.parametrize("step", ["fetch", "_make_durable", "_give_name"])
def test_an_export_that_fails_leaves_nothing(
    platform: Platform, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def broken(*_given: object, **_named: object) -> None:
        raise OSError(28, "No space left on device")

    before = sorted(tmp_path.iterdir())
    monkeypatch.setattr(exporting, step, broken)
    with pytest.raises(OSError, match="No space"):
        exported(platform, tmp_path / "new")
    assert sorted(tmp_path.iterdir()) == before


def test_a_file_that_is_not_the_registered_one_is_not_exported(
    platform: Platform, folder: Path, tmp_path: Path
) -> None:
    platform.overwrite("iris_model_dev_v1.npz", lambda content: content[:-1] + b"?")
    with pytest.raises(ArtifactCorrupt):
        exported(platform, tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.fixture
def mlmini(platform: Platform, tmp_path: Path) -> Verb:
    """The command line with the settings of the platform, in a folder of its own."""
    (tmp_path / "work").mkdir()
    url = platform.database.engine.url.render_as_string(hide_password=False)
    variables = environment_of(platform.settings) | {"MLMINI_DATABASE_URL": url}
    command_line = CommandLine(tmp_path / "work")

    def run(*words: str, **more: str) -> Ended:
        return command_line.run(*words, stdin=b"", **variables, **more)

    return run


def test_the_verb_exports_what_serves_and_says_how_to_serve_it(
    platform: Platform, mlmini: Verb, tmp_path: Path
) -> None:
    data = platform.dataset()
    platform.train(data, iris_forest().in_form())
    platform.promote(1, "staging")
    platform.train(data, iris_forest())
    work = tmp_path / "work"
    ended = mlmini("models", "export", "iris@staging")
    assert ended.out.splitlines()[0].startswith("Version 1 of 'iris' from 'staging' is in iris_model_staging_v1: its ")
    assert ended.out.splitlines()[-1] == "Serve it: mlmini serve iris_model_staging_v1"
    told = mlmini("models", "export", "2", "--to", "two", "--key-file", "key", "--json").document
    assert (told["stage"], told["version"], told["compiled"], told["folder"]) == ("dev", 2, False, "two")
    key = export_key_of(platform.key)
    assert (work / "key").read_text() == f"{key.secret.hex()}\n"
    assert (work / "key").stat().st_mode & 0o077 == 0
    assert open_folder(work / "two", key).sealed
    again = mlmini("models", "export", "1", "--to", "one", "--key-file", "key")
    assert again.out.splitlines()[1] == "The key for MLMINI_EXPORT_KEY is in key."
    assert open_folder(work / "one", None).manifest.stage == "staging"


def test_a_chosen_key_seals(platform: Platform, mlmini: Verb, tmp_path: Path) -> None:
    platform.train(platform.dataset(), iris_forest().in_form())
    assert mlmini("models", "export", "1", "--to", "one", MLMINI_EXPORT_KEY="ab" * 32).status == 0
    assert open_folder(tmp_path / "work" / "one", ExportKey(b"\xab" * 32, chosen=True)).sealed


def test_what_cannot_be_exported_is_told(platform: Platform, mlmini: Verb, tmp_path: Path) -> None:
    data = platform.dataset()
    for target in ("species", "weight"):
        platform.train(data, with_target(iris_forest().in_form(), target))
    (tmp_path / "work" / "mine").write_text("precious")
    for words, status, said in (
        (["iris"], 1, "No model of 'iris' is active in 'production'"),
        (["iris@stagging"], 1, "Did you mean 'staging'?"),
        (["irsi@dev"], 1, "There is no dataset 'irsi'"),
        (["7"], 1, "`mlmini models list`"),
        (["iris@dev", "--target", "wieght"], 1, "Did you mean 'weight'?"),
        (["1", "--target", "species"], 2, "Leave out --target"),
        (["@dev"], 2, "names no model"),
        (["9" * 30], 2, "is no version"),
        (["iris@"], 2, "names no model"),
        (["1", "--to", "none/folder"], 1, "none/folder cannot be written: No such file or directory."),
        (["1", "--key-file", "mine"], 1, "mine cannot be written: File exists."),
        (["1", "--to", "."], 1, "exists already"),
    ):
        ended = mlmini("models", "export", *words)
        assert (ended.status, ended.out) == (status, ""), words
        assert said in ended.err, (words, ended.err)
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["mine"]
    assert (tmp_path / "work" / "mine").read_text() == "precious"
    assert mlmini("models", "export", "iris@dev", "--target", "species").out.startswith("Version 1 ")
    shutil.rmtree(platform.settings.home / KEY_FILE, ignore_errors=True)
    (platform.settings.home / KEY_FILE).unlink()
    assert "the key of the artifacts is missing" in mlmini("models", "export", "1").err


def test_where_nothing_was_started_there_is_nothing_to_export(tmp_path: Path) -> None:
    ended = CommandLine(tmp_path).run("models", "export", "iris@dev", MLMINI_HOME=str(tmp_path / "none"))
    assert ended.status == 3
    assert "No platform was started on" in ended.err
