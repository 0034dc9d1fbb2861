"""The compiled forms of registered models: which file a deployment has, and what came of making it."""

import tempfile
from collections.abc import Collection
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from shared.compiled.compilation import Compilation
from shared.errors import ArtifactCorrupt
from shared.object_store import ObjectStore
from shared.registry.artifact import copy_checked
from shared.registry.rows import CompilationRow, CompiledFormRow, DeploymentRow
from shared.registry.sealing import Artifact, ArtifactKey, Seal
from shared.scratch import scratch_errors
from shared.settings import Settings

if TYPE_CHECKING:
    from shared.compiled.model import CompiledModel

# A smaller file is kept in memory.
_HELD_BYTES = 16 * 2**20


class FormFile(NamedTuple):
    """A compiled form in the store, with its seal."""

    path: str
    seal: Seal


def add_form(session: Session, deployment_id: int, form: FormFile) -> None:
    """Give a deployment the compiled form of its model."""
    session.execute(
        insert(CompiledFormRow).values(
            deployment_id=deployment_id,
            form_path=form.path,
            sha256=form.seal.sha256,
            size_bytes=form.seal.size_bytes,
            hmac=form.seal.hmac,
            hmac_key_id=form.seal.hmac_key_id,
        )
    )


def put_seal(session: Session, form_path: str, seal: Seal | None) -> None:
    """Put the seal of a new file of that name into the place of the one before; without one, there is no form any more.

    The caller has checked that the file before is not the one that was registered.
    """
    rows = CompiledFormRow.form_path == form_path
    if seal is None:
        session.execute(delete(CompiledFormRow).where(rows))
        return
    session.execute(
        update(CompiledFormRow)
        .where(rows)
        .values(sha256=seal.sha256, size_bytes=seal.size_bytes, hmac=seal.hmac, hmac_key_id=seal.hmac_key_id)
    )


def note_compilation(session: Session, version: int, compilation: Compilation) -> None:
    """Note what came of making the compiled form of a version, in the place of what was noted before."""
    session.execute(delete(CompilationRow).where(CompilationRow.version == version))
    session.execute(insert(CompilationRow).values(version=version, **compilation.model_dump()))


def compilations_of(session: Session, versions: Collection[int]) -> dict[int, Compilation]:
    """What came of making the compiled forms of the versions for which anybody has tried."""
    rows = session.scalars(select(CompilationRow).where(CompilationRow.version.in_(versions)))
    return {
        row.version: Compilation(
            compiled=row.compiled,
            detail=row.detail,
            rows_compared=row.rows_compared,
            bit_for_bit=row.bit_for_bit,
            worst_difference=row.worst_difference,
        )
        for row in rows
    }


def is_hopeless(session: Session, version: int) -> bool:
    """Whether making the compiled form of a version was tried, and there is none."""
    compiled = session.scalar(select(CompilationRow.compiled).where(CompilationRow.version == version))
    return compiled is False


def formed(session: Session, versions: Collection[int]) -> set[tuple[str, int]]:
    """Of the given versions, each (stage, version) that is active and has a compiled form."""
    rows = session.execute(
        select(DeploymentRow.stage, DeploymentRow.version)
        .join(CompiledFormRow, CompiledFormRow.deployment_id == DeploymentRow.id)
        .where(DeploymentRow.version.in_(versions), DeploymentRow.retired_at.is_(None))
    )
    return {(stage, version) for stage, version in rows}


def form_of(session: Session, artifact: Artifact) -> Artifact | None:
    """The compiled form of the active deployment that an artifact belongs to, as the file of its own that it is."""
    row = session.scalars(
        select(CompiledFormRow)
        .join(DeploymentRow, DeploymentRow.id == CompiledFormRow.deployment_id)
        .where(
            DeploymentRow.version == artifact.version,
            DeploymentRow.stage == artifact.stage,
            DeploymentRow.retired_at.is_(None),
        )
    ).one_or_none()
    return None if row is None else read_form(row, artifact)


def form_beside(session: Session, deployment_id: int, artifact: Artifact) -> Artifact | None:
    """The compiled form of a deployment, active or not, that an artifact belongs to."""
    row = session.get(CompiledFormRow, deployment_id)
    return None if row is None else read_form(row, artifact)


def read_form(row: CompiledFormRow, artifact: Artifact) -> Artifact:
    """What the registry says about the compiled form beside an artifact."""
    return Artifact(
        dataset_name=artifact.dataset_name,
        stage=artifact.stage,
        version=artifact.version,
        job_id=artifact.job_id,
        artifact_path=row.form_path,
        environment=artifact.environment,
        seal=Seal(sha256=row.sha256, size_bytes=row.size_bytes, hmac=row.hmac, hmac_key_id=row.hmac_key_id),
    )


def load_form(store: ObjectStore, settings: Settings, key: ArtifactKey, form: Artifact) -> "CompiledModel":
    """Read, check and load a compiled form. Nothing of it is run.

    Raises:
        ArtifactCorrupt: when the file is missing, is not the one that was registered, or is none.
        StoreUnavailable: when the object store does not answer.
        ScratchFull, ScratchUnavailable: when the file cannot be written.
    """
    from shared.compiled.file import read_model
    from shared.compiled.parts import FormDamaged

    with tempfile.SpooledTemporaryFile(_HELD_BYTES, dir=str(settings.scratch)) as file:
        with scratch_errors():
            copy_checked(store, settings, key, form, file)
            # Also writes what is still in its buffer.
            file.seek(0)
        try:
            return read_model(file)
        except FormDamaged as error:
            raise ArtifactCorrupt(f"The file '{form.artifact_path}' is no compiled form: {error}.") from error
