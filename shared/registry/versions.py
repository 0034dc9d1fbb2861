"""The registered models: one row per version, with the places where it is or was deployed."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, insert, select, update
from sqlalchemy.orm import Session

from shared.compiled.compilation import Compilation
from shared.counters import raise_counter
from shared.datasets.rows import DatasetRow, DatasetVersionRow
from shared.errors import DatasetDeleted, NotActive, UnknownModel
from shared.jobs.claims import JOBS, Claim, Fenced, bind_claim, still_claimed
from shared.registry.assessments import add_assessment
from shared.registry.deployments import activate, begin_change
from shared.registry.forms import FormFile, add_form, compilations_of, note_compilation
from shared.registry.pins import add_pin
from shared.registry.rows import DeploymentRow, ModelTagRow, RegistryRow
from shared.registry.sealing import Seal
from shared.registry.tombstones import refuse_erased
from shared.training.facts import ModelFacts


@dataclass(frozen=True)
class RegisteredModel:
    """All that the registry knows about one version."""

    row: RegistryRow
    dataset_name: str
    dataset_version: int
    deployments: list[DeploymentRow]
    tags: list[str]
    # None in models of releases that knew no compiled forms.
    compilation: Compilation | None

    @property
    def sha256(self) -> str:
        """The digest of the model's file, which is the same in every stage."""
        return self.deployments[0].sha256

    @property
    def rows_measured(self) -> int | None:
        """How many rows its metrics come from, as far as its report tells."""
        rows = self.row.report.get("rows", {}).get("test")
        return None if rows is None else int(rows)

    def deployment(self, stage: str | None) -> DeploymentRow:
        """The latest deployment in a stage, retired or not; by default in the furthest stage.

        Raises:
            NotActive: when the version never was in that stage.
        """
        stage = stage or self.row.stage
        for deployment in reversed(self.deployments):
            if deployment.stage == stage:
                return deployment
        reached = ", ".join(dict.fromkeys(deployment.stage for deployment in self.deployments))
        raise NotActive(f"Version {self.row.version} has never been in '{stage}', only in: {reached}.")


def register(
    session: Session,
    *,
    version: int,
    job_id: UUID,
    candidate: int = 1,
    dataset_id: int,
    dataset_version_id: int,
    stage: str,
    artifact_path: str,
    seal: Seal,
    form: FormFile | None = None,
    facts: ModelFacts,
    actor: str,
) -> None:
    """Add a trained model to the registry and make it active in its first stage, with its compiled form if it has one.

    Raises:
        DatasetDeleted: when the dataset went away meanwhile.
    """
    place = {"stage": stage, "artifact_path": artifact_path}
    begin_change(session)
    _lock_dataset(session, dataset_version_id)
    session.execute(
        insert(RegistryRow).values(
            version=version,
            dataset_id=dataset_id,
            dataset_version_id=dataset_version_id,
            job_id=job_id,
            candidate=candidate,
            **place,
            target=facts.signature.target,
            **facts.model_dump(mode="json", exclude={"compilation", "assessment", "pin"}),
        )
    )
    deployment_id = activate(session, version=version, dataset_id=dataset_id, **place, seal=seal, actor=actor)
    if form is not None:
        add_form(session, deployment_id, form)
    _note(session, version, facts)


def _note(session: Session, version: int, facts: ModelFacts) -> None:
    """Keep what has tables of its own."""
    if facts.compilation is not None:
        note_compilation(session, version, facts.compilation)
    if facts.assessment is not None:
        add_assessment(session, version, facts.assessment)
    if facts.pin is not None:
        add_pin(session, version, facts.pin)


def take_model_version(session: Session, claim: Claim) -> int:
    """Take the next global model version for an attempt that has a fitted model in hand.

    Raises:
        Fenced: when the attempt no longer owns the job. No number is used up then.
    """
    # Locks the job before the counter, the order in which every transaction takes them.
    hold = update(JOBS).where(still_claimed()).values(epoch=JOBS.c.epoch).returning(JOBS.c.id)
    if session.execute(hold, bind_claim(claim)).one_or_none() is None:
        raise Fenced
    return raise_counter(session, "model_version")


def find_model(session: Session, version: int) -> RegisteredModel:
    """The registered model of a version.

    Raises:
        UnknownModel: when there is none.
        ModelErased: when it was erased.
    """
    return find_models(session, [version])[0]


def find_models(session: Session, versions: Sequence[int]) -> list[RegisteredModel]:
    """The registered models of several versions, in the order in which they are given.

    Raises:
        UnknownModel, ModelErased: naming the first version that is missing.
    """
    models = {
        model.row.version: model
        for model in load_models(session, models_query().where(RegistryRow.version.in_(versions)))
    }
    for version in versions:
        if version not in models:
            refuse_erased(session, version)
            raise UnknownModel(f"There is no model of version {version}. GET /models lists the models.")
    return [models[version] for version in versions]


def _lock_dataset(session: Session, dataset_version_id: int) -> None:
    """Keep the dataset version from being deleted until the end of the transaction (SQLite has one writer anyway)."""
    held = session.scalar(
        select(DatasetVersionRow.id)
        .where(DatasetVersionRow.id == dataset_version_id)
        .with_for_update(read=True, key_share=True)
    )
    if held is None:
        raise DatasetDeleted("The dataset was deleted while the model was trained.")


def models_query() -> Select[RegistryRow, str, int | None]:
    """Rows of the registry with the name of the dataset and the number of its version, for `load_models`."""
    return (
        select(RegistryRow, DatasetRow.name, DatasetVersionRow.number)
        .join(DatasetRow, DatasetRow.id == RegistryRow.dataset_id)
        .join(DatasetVersionRow, DatasetVersionRow.id == RegistryRow.dataset_version_id)
    )


def load_models(session: Session, query: Select[RegistryRow, str, int | None]) -> list[RegisteredModel]:
    """What `models_query`, narrowed and ordered, finds."""
    found = session.execute(query).all()
    deployments: dict[int, list[DeploymentRow]] = {row.version: [] for row, _, _ in found}
    for deployment in session.scalars(
        select(DeploymentRow).where(DeploymentRow.version.in_(deployments)).order_by(DeploymentRow.id)
    ):
        deployments[deployment.version].append(deployment)
    tags: dict[int, list[str]] = {version: [] for version in deployments}
    for tag in session.scalars(select(ModelTagRow).where(ModelTagRow.version.in_(tags)).order_by(ModelTagRow.tag)):
        tags[tag.version].append(tag.tag)
    compilations = compilations_of(session, deployments)
    return [
        RegisteredModel(
            row=row,
            dataset_name=name,
            dataset_version=number or 0,
            deployments=deployments[row.version],
            tags=tags[row.version],
            compilation=compilations.get(row.version),
        )
        for row, name, number in found
    ]
