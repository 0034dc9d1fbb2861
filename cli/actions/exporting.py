"""`mlmini models export`: a model of this machine's platform as a folder, with the present settings."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cli.client.errors import CommandFailed, Unreachable, WrongUsage
from cli.client.hints import in_verbs
from cli.doctor.installation import database_here
from cli.render.models import exported
from cli.render.output import Output
from shared.errors import PlatformError, Unavailable, WrongSettings
from shared.exported.exporting import FolderInTheWay, export, find_wanted
from shared.exported.key import ExportKey, export_key_of, read_export_key, write_key
from shared.object_store import open_store
from shared.prediction.loaded import ServingPlace
from shared.prediction.lookup import Served
from shared.registry.sealing import read_artifact_key
from shared.settings import Settings, load_settings

# What a number of a version has at most.
_DIGITS = 18


def export_model(
    model: str, *, to: str | None, target: str | None, replace: bool, key_file: str | None, as_json: bool
) -> None:
    """Write the folder, and say what it holds.

    Raises:
        WrongUsage: when the name of the model is none.
        WrongSettings: when the settings, the key or the tables of the database are wrong.
        CommandFailed: when there is no such model, its file is damaged, or the folder cannot be written.
        Unreachable: when database or store do not answer, or nothing was started here yet.
    """
    wanted, settings = _wanted(model, target), load_settings()
    with database_here(settings, to="export") as database, _failures():
        served = find_wanted(database, settings, wanted)
        artifact = served.artifact
        folder = to or f"{artifact.dataset_name}_model_{artifact.stage}_v{artifact.version}"
        key = _export(settings, served, Path(folder), key_file, replace=replace)
    Output(as_json=as_json).give(_document(folder, served, key, key_file), exported)


def _wanted(model: str, target: str | None) -> ServingPlace | int:
    name, at, stage = model.partition("@")
    if name.isdecimal() and not at:
        if target is not None:
            raise WrongUsage("A version has one target. Leave out --target, or name the dataset and the stage.")
        if len(name) > _DIGITS:
            raise WrongUsage(f"'{model}' is no version. `mlmini models list` lists the models.")
        return int(name)
    if not name or (at and not stage):
        raise WrongUsage(f"'{model}' names no model. Write NAME@STAGE, NAME, or a version.")
    return ServingPlace(name, stage or "production", target)


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except Unavailable as error:
        raise Unreachable(error.detail) from None
    except WrongSettings:
        raise
    except PlatformError as error:
        raise CommandFailed(in_verbs(error.detail)) from None
    except FolderInTheWay as error:
        raise CommandFailed(str(error)) from None


def _export(settings: Settings, served: Served, folder: Path, key_file: str | None, *, replace: bool) -> ExportKey:
    key = read_artifact_key(settings)
    if key is None:
        raise WrongSettings("the key of the artifacts is missing, so no file can be checked. `mlmini doctor` says more")
    export_key = read_export_key(settings) or export_key_of(key)
    if key_file is not None:
        with _written(key_file):
            write_key(export_key, Path(key_file))
    store = open_store(settings)
    try:
        with _written(str(folder)):
            export(served, folder, store=store, settings=settings, key=key, export_key=export_key, replace=replace)
    finally:
        store.close()
    return export_key


@contextmanager
def _written(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CommandFailed(f"{name} cannot be written: {error.strerror}.") from None


def _document(folder: str, served: Served, key: ExportKey, key_file: str | None) -> dict[str, Any]:
    artifact = served.artifact
    return {
        "folder": folder,
        "dataset_name": artifact.dataset_name,
        "stage": artifact.stage,
        "version": artifact.version,
        "target": served.signature["target"],
        "compiled": served.form is not None,
        "size_bytes": served.loaded.seal.size_bytes,
        "key_id": key.id,
        "key_file": key_file,
    }
