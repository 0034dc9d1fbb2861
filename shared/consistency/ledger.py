"""The catalog and the registry against themselves."""

from collections.abc import Iterator
from itertools import groupby

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.clock import Now
from shared.consistency.difference import Difference, Level
from shared.counters import CounterRow
from shared.database import Database
from shared.datasets.rows import DatasetRow, DatasetVersionRow, VersionState
from shared.datasets.unfinished import STALE_SECONDS
from shared.errors import ArtifactCorrupt
from shared.registry.deployments import artifacts, read_artifact
from shared.registry.forms import read_form
from shared.registry.naming import artifact_name
from shared.registry.rows import CompiledFormRow, DeploymentRow, ErasedModelRow, RegistryRow
from shared.registry.sealing import KEY_FILE, ArtifactKey, check_seal, has_old_seal
from shared.settings import Settings

_OUTDATED = (
    "Prepare, by `mlmini up` or `python -m cli.launcher.prepare`, if that was not done since the upgrade. If it was, "
    "the file was not the one that was registered: bring it back together with the backup of the database from before "
    "the upgrade, or retire the version there and promote it or train again."
)
_RESTORE = "Rows were changed by hand, or by a bug: compare with a backup of the database, and report it."


def differences(database: Database, settings: Settings, key: ArtifactKey | None) -> Iterator[Difference]:
    """Datasets that point elsewhere, deployments that do not fit their models, seals that do not hold."""
    with database.read() as session:
        yield from _catalog(session)
        yield from _registry(session, settings)
        yield from _seals(session, key)
        yield from _counter(session)


def _catalog(session: Session) -> Iterator[Difference]:
    ready = DatasetVersionRow.state == VersionState.READY
    newest = (
        select(DatasetVersionRow.object_key)
        .where(DatasetVersionRow.dataset_id == DatasetRow.id, ready)
        .order_by(DatasetVersionRow.number.desc())
        .limit(1)
        .correlate(DatasetRow)
        .scalar_subquery()
    )
    for name, location, key in session.execute(select(DatasetRow.name, DatasetRow.location, newest)):
        if location is not None and key is None:
            yield Difference("dataset_without_version", f"dataset {name}", "it has no version that is ready", _RESTORE)
        elif location != (key and f"datasets/{key}"):
            found = f"its location is {location or 'empty'}, its newest version is in {key}"
            yield Difference("location_differs", f"dataset {name}", found, _RESTORE)
    stale = select(DatasetVersionRow.object_key).where(~ready, DatasetVersionRow.created_at < Now(-STALE_SECONDS))
    for key in session.scalars(stale):
        yield Difference(
            "upload_unfinished",
            key,
            "an upload that began more than an hour ago and never ended",
            "The janitor of any worker removes it.",
            Level.NOTE,
        )


def _registry(session: Session, settings: Settings) -> Iterator[Difference]:
    rows = session.execute(
        select(RegistryRow, DatasetRow.name, DeploymentRow)
        .join(DatasetRow, DatasetRow.id == RegistryRow.dataset_id)
        .outerjoin(DeploymentRow, DeploymentRow.version == RegistryRow.version)
        .order_by(RegistryRow.version, DeploymentRow.id)
        .execution_options(yield_per=500)
    )
    for version, group in groupby(rows, key=lambda row: row[0].version):
        found = list(group)
        registered, name = found[0][0], found[0][1]
        deployments = [deployment for _, _, deployment in found if deployment is not None]
        for deployment in deployments:
            yield from _deployment(deployment, registered, name, settings)
        if not any(
            (each.stage, each.artifact_path) == (registered.stage, registered.artifact_path) for each in deployments
        ):
            said = f"its furthest stage is {registered.stage}, where no deployment has its file"
            yield Difference("stage_differs", f"version {version}", said, _RESTORE)
        elif registered.stage != _furthest(deployments, settings) and registered.stage in settings.stages:
            said = f"its furthest stage is {registered.stage}, but it was in {_furthest(deployments, settings)}"
            yield Difference("stage_differs", f"version {version}", said, _RESTORE)


def _deployment(row: DeploymentRow, registered: RegistryRow, name: str, settings: Settings) -> Iterator[Difference]:
    about = f"version {row.version} in {row.stage}"
    if row.dataset_id != registered.dataset_id:
        yield Difference("dataset_differs", about, "the deployment is of another dataset than the model", _RESTORE)
    if row.artifact_path != artifact_name(name, row.stage, row.version):
        yield Difference("path_differs", about, f"its file is called {row.artifact_path}", _RESTORE)
    if row.retired_at is None and row.stage not in settings.stages:
        yield Difference(
            "stage_unknown",
            about,
            f"it is active in a stage that is not one of {', '.join(settings.stages)}",
            "Name the stage in MLMINI_STAGES again, or do so for long enough to retire the version there.",
        )


def _furthest(deployments: list[DeploymentRow], settings: Settings) -> str | None:
    reached = {deployment.stage for deployment in deployments}
    return next((stage for stage in reversed(settings.stages) if stage in reached), None)


def _seals(session: Session, key: ArtifactKey | None) -> Iterator[Difference]:
    rows = artifacts().add_columns(CompiledFormRow).outerjoin(CompiledFormRow).order_by(DeploymentRow.id)
    hint = (
        f"Bring back the {KEY_FILE} or the MLMINI_ARTIFACT_KEY that sealed it. If that one is in place, the row was "
        "changed: bring the database back from a backup, or retire the version."
    )
    for row in session.execute(rows.execution_options(yield_per=500)):
        *deployment, form = row
        artifact = read_artifact(*deployment)
        about = f"version {artifact.version} in {artifact.stage}"
        if key is None:
            yield Difference("seal_unknown", about, "there is no key to check its seal with", hint)
            continue
        for file in [artifact] if form is None else [artifact, read_form(form, artifact)]:
            try:
                check_seal(key, file)
            except ArtifactCorrupt as error:
                if has_old_seal(key, file):
                    yield Difference("seal_outdated", about, error.detail, _OUTDATED)
                else:
                    yield Difference("seal_differs", about, error.detail, hint)


def _counter(session: Session) -> Iterator[Difference]:
    # In this order, because on PostgreSQL each statement sees what was committed before it: the counter only rises.
    highest = max(
        session.scalar(select(func.max(RegistryRow.version))) or 0,
        session.scalar(select(func.max(ErasedModelRow.version))) or 0,
    )
    taken = session.scalar(select(CounterRow.value).where(CounterRow.name == "model_version"))
    if taken is None or taken < highest:
        found = f"the last version taken is {taken}, but version {highest} is registered"
        yield Difference("counter_behind", "the counter model_version", found, _RESTORE)
