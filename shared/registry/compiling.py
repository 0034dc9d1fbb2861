"""Compiled forms of registered models that lack one or have lost it: which they are, who asks, and the commit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from shared.compiled.compilation import Compilation
from shared.database import Database
from shared.errors import ArtifactInRemoval, NotActive, UnknownModel
from shared.jobs.acceptance import IdempotencyKey, accept, fingerprint
from shared.jobs.rows import LAST_PRIORITY, JobRow
from shared.jobs.states import TERMINAL, Kind
from shared.object_store.shelves import Shelf
from shared.registry import deployments
from shared.registry.forms import FormFile, add_form, form_beside, note_compilation, put_seal
from shared.registry.naming import form_name
from shared.registry.orphans import removals_of
from shared.registry.rows import CompilationRow, CompiledFormRow, DeploymentRow, RegistryRow
from shared.registry.sealing import Artifact, Seal
from shared.registry.tombstones import refuse_erased

_PRINCIPAL = "platform"
# What failed is tried again, but not with every load of the model.
_ASK_AGAIN_HOURS = 24.0


@dataclass(frozen=True)
class PlannedForm:
    """The compiled form of an active deployment under its fixed name, and what the registry has under it by now."""

    beside: Artifact
    stored: Artifact | None
    path: str
    # How many removals of an object of that name had begun when it was planned.
    removals: int


@dataclass(frozen=True)
class CompilePlan:
    """The compiled forms of a version, one for each active deployment."""

    registered: RegistryRow
    dataset_name: str
    forms: list[PlannedForm]

    @property
    def lacking(self) -> list[PlannedForm]:
        """Those that the registry does not have."""
        return [planned for planned in self.forms if planned.stored is None]


def plan_forms(session: Session, version: int) -> CompilePlan:
    """Which compiled forms a version has and lacks where it is active.

    Raises:
        UnknownModel, ModelErased: when there is no such version, or no longer.
        NotActive: when it is active nowhere: nobody asks it for predictions.
        ArtifactInRemoval: when what an earlier attempt stored under the name of a form is just being removed.
    """
    registered = session.get(RegistryRow, version)
    if registered is None:
        refuse_erased(session, version)
        raise UnknownModel(f"There is no model of version {version}. GET /models lists them.")
    forms = []
    for deployment, model, dataset_name in session.execute(_active(version)):
        artifact = deployments.read_artifact(deployment, model, dataset_name)
        path = form_name(artifact.dataset_name, artifact.stage, version)
        stored = form_beside(session, deployment.id, artifact)
        forms.append(PlannedForm(artifact, stored, path, removals_of(session, Shelf.MODELS, path)))
    if not forms:
        raise NotActive(f"Version {version} is active in no stage. Only what serves gets a compiled form.")
    return CompilePlan(registered, forms[0].beside.dataset_name, forms)


def give_forms(
    session: Session, version: int, compilation: Compilation, wanted: Sequence[PlannedForm], made: Mapping[str, Seal]
) -> list[str]:
    """Give the forms that were made to the deployments that want them, and note what came of making them.

    `made` has their seals by their names; without one, a form that is damaged is given up. Returns the stages that got
    one. The caller's transaction has locked the job before. A deployment that came meanwhile stays as it is; whoever
    loads it asks again.

    Raises:
        ArtifactInRemoval: when somebody began to remove what is stored under the name of a form since it was planned.
    """
    deployments.begin_change(session)
    for planned in wanted:
        if removals_of(session, Shelf.MODELS, planned.path) != planned.removals:
            raise ArtifactInRemoval(f"The file '{planned.path}' was removed meanwhile. It is made again.")
    note_compilation(session, version, compilation)
    lacking, given = _lacking(session, version), []
    for planned in wanted:
        stage, seal = planned.beside.stage, made.get(planned.path)
        if planned.stored is not None:
            # Of several deployments in one stage all have the same file.
            put_seal(session, planned.path, seal)
        elif seal is not None and stage in lacking:
            add_form(session, lacking[stage], FormFile(planned.path, seal))
        else:
            continue
        if seal is not None:
            given.append(stage)
    return given


def untried(session: Session) -> list[int]:
    """The versions that are active somewhere and for which nobody has tried to make a compiled form."""
    query = (
        select(DeploymentRow.version)
        .outerjoin(CompilationRow, CompilationRow.version == DeploymentRow.version)
        .where(DeploymentRow.retired_at.is_(None), CompilationRow.version.is_(None))
    )
    return list(session.scalars(query.distinct().order_by(DeploymentRow.version)))


def ask_for_forms(session: Session, plan: CompilePlan) -> JobRow:
    """Accept the job that makes the compiled forms of a version, or find the one that is under way."""
    return _under_way(session, plan.registered.version) or _accept(session, plan)


def ask_once(database: Database, artifact: Artifact) -> tuple[UUID, int] | None:
    """Have the form made that a loaded model lacks. Of all processes that ask within a day, the first one is heard.

    Returns id and priority of the job to wake a worker for; None when nothing is lacking any more.

    Raises:
        UnknownModel, ModelErased, NotActive, ArtifactInRemoval: as `plan_forms`.
        DatabaseUnavailable: when the database does not answer.
    """
    with database.read() as session:
        plan = plan_forms(session, artifact.version)
    if not plan.lacking:
        return None
    body = {"version": artifact.version, "stage": artifact.stage}
    key = IdempotencyKey(
        _PRINCIPAL,
        f"compile-{artifact.version}-{artifact.stage}",
        fingerprint=fingerprint(Kind.COMPILE, body),
        keep_hours=_ASK_AGAIN_HOURS,
    )
    with database.write() as session:
        job = _under_way(session, artifact.version) or _accept(session, plan, key)
        return job.id, job.priority


def _under_way(session: Session, version: int) -> JobRow | None:
    return session.scalars(
        select(JobRow).where(
            JobRow.kind == Kind.COMPILE,
            JobRow.status.not_in(TERMINAL),
            JobRow.request["version"].as_integer() == version,
        )
    ).first()


def _accept(session: Session, plan: CompilePlan, key: IdempotencyKey | None = None) -> JobRow:
    return accept(
        session,
        kind=Kind.COMPILE,
        request={"dataset_name": plan.dataset_name, "version": plan.registered.version},
        dataset_name=plan.dataset_name,
        dataset_version_id=plan.registered.dataset_version_id,
        # Whoever waits for a job of his own goes first.
        priority=LAST_PRIORITY,
        key=key,
    )


def _active(version: int) -> Select[DeploymentRow, RegistryRow, str]:
    return (
        deployments.artifacts()
        .where(DeploymentRow.version == version, DeploymentRow.retired_at.is_(None))
        .order_by(DeploymentRow.id)
    )


def _lacking(session: Session, version: int) -> dict[str, int]:
    """The active deployments of a version without a compiled form, by stage."""
    query = (
        select(DeploymentRow.stage, DeploymentRow.id)
        .outerjoin(CompiledFormRow, CompiledFormRow.deployment_id == DeploymentRow.id)
        .where(
            DeploymentRow.version == version,
            DeploymentRow.retired_at.is_(None),
            CompiledFormRow.deployment_id.is_(None),
        )
    )
    return {row.stage: row.id for row in session.execute(query)}
