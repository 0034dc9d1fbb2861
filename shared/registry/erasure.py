"""Erases models and datasets: files, rows and what their jobs said go for good; rows that say what was there stay."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, delete, exists, insert, literal, not_, or_, select
from sqlalchemy.orm import Session

from shared.clock import Now
from shared.datasets.catalog import delete_dataset, jobs_of, lock_dataset
from shared.datasets.rows import DatasetRow, DatasetVersionRow, ErasedDatasetVersionRow
from shared.discarded import discard
from shared.errors import DatasetInUse, ModelInUse
from shared.jobs.acceptance import cancel
from shared.jobs.erasure import erase_jobs, lock_jobs, open_jobs
from shared.jobs.rows import JobRow
from shared.jobs.states import Kind
from shared.logging import get_logger
from shared.object_store.shelves import Shelf
from shared.registry.deployments import begin_change
from shared.registry.naming import file_names
from shared.registry.outputs import discard_outputs
from shared.registry.rows import DeploymentRow, ErasedModelRow, RegistryRow
from shared.registry.versions import RegisteredModel, find_model

log = get_logger(__name__)

_MOST_NAMED = 10


def erase_model(session: Session, version: int, *, stages: tuple[str, ...], actor: str) -> None:
    """Erase a model that serves nowhere; its files are discarded, to be removed once this is committed.

    Raises:
        UnknownModel: when there is no such model.
        ModelErased: when it was erased before.
        ModelInUse: when it is active in a stage, or a job is about to promote it or to predict with it.
    """
    jobs = _jobs_of(find_model(session, version))
    # In the order of all locks: jobs, counters, registry. What was read before may have changed.
    lock_jobs(session, jobs)
    begin_change(session)
    model = find_model(session, version)
    # Nobody has asked for these but the platform; one that runs already is waited for.
    for job_id in open_jobs(session, and_(jobs, JobRow.kind == Kind.COMPILE)):
        cancel(session, job_id)
    _refuse_in_use(session, model, jobs)
    discard(session, Shelf.MODELS, _paths_of(model, stages))
    discard_outputs(session, jobs)
    session.execute(insert(ErasedModelRow).values(**_facts_of(model), erased_by=actor))
    session.execute(delete(DeploymentRow).where(DeploymentRow.version == version))
    session.execute(delete(RegistryRow).where(RegistryRow.version == version))
    erase_jobs(session, and_(jobs, not_(_trained_others(model))))
    log.info("model_erased", version=version, dataset_name=model.dataset_name, sha256=model.sha256, actor=actor)


def erase_dataset(session: Session, name: str, *, actor: str) -> None:
    """Erase a dataset, archived or not, that has no models any more; its files are discarded.

    Raises:
        UnknownDataset: when there is no such dataset.
        DatasetInUse: when models were made from it that were not erased, or jobs on it have not ended.
    """
    dataset = lock_dataset(session, name)
    jobs = jobs_of(dataset)
    _refuse_dataset_in_use(session, dataset, jobs)
    discard_outputs(session, jobs)
    erase_jobs(session, jobs)
    numbers = _bury_versions(session, dataset, actor)
    delete_dataset(session, name)
    log.info("dataset_erased", dataset_name=name, versions=numbers, actor=actor)


def _refuse_dataset_in_use(session: Session, dataset: DatasetRow, jobs: ColumnElement[bool]) -> None:
    models = select(RegistryRow.version).where(RegistryRow.dataset_id == dataset.id).order_by(RegistryRow.version)
    versions = session.scalars(models.limit(_MOST_NAMED + 1)).all()
    if versions:
        named = ", ".join(map(str, versions[:_MOST_NAMED])) + (" and more" if len(versions) > _MOST_NAMED else "")
        raise DatasetInUse(
            f"Models were trained on the dataset '{dataset.name}': {named}. Erase them first, each as the first "
            f"with DELETE /models/{versions[0]}."
        )
    unfinished = open_jobs(session, jobs)
    if unfinished:
        raise DatasetInUse(
            f"The job {unfinished[0]} uses the dataset '{dataset.name}'. Wait for its end, or cancel it with "
            f"POST /jobs/{unfinished[0]}/cancel; then erase the dataset."
        )


def _bury_versions(session: Session, dataset: DatasetRow, actor: str) -> Sequence[int]:
    """Note what stays of the versions; their numbers."""
    row = DatasetVersionRow
    facts = (row.number, row.sha256, row.size_bytes, row.created_at)
    versions = select(literal(dataset.name), *facts, Now(), literal(actor)).where(
        row.dataset_id == dataset.id, row.number.is_not(None)
    )
    columns = [column.key for column in ErasedDatasetVersionRow.__mapper__.columns]
    statement = insert(ErasedDatasetVersionRow).from_select(columns, versions)
    return session.scalars(statement.returning(ErasedDatasetVersionRow.number)).all()


def _jobs_of(model: RegisteredModel) -> ColumnElement[bool]:
    """The job that trained it, and those that were to promote, compile or repeat it, or to predict with it."""
    use_it = and_(
        JobRow.kind.in_([Kind.PROMOTE, Kind.PREDICT, Kind.COMPILE, Kind.REPRODUCE]),
        JobRow.dataset_name == model.dataset_name,
        JobRow.request["version"].as_integer() == model.row.version,
    )
    return or_(JobRow.id == model.row.job_id, use_it)


def _trained_others(model: RegisteredModel) -> ColumnElement[bool]:
    """Whether it is the job that trained the model, and models of it are left: they need its request and its result."""
    others = exists().where(RegistryRow.job_id == JobRow.id, RegistryRow.version != model.row.version)
    return and_(JobRow.id == model.row.job_id, others)


def _refuse_in_use(session: Session, model: RegisteredModel, jobs: ColumnElement[bool]) -> None:
    version = model.row.version
    active = sorted({deployment.stage for deployment in model.deployments if deployment.retired_at is None})
    if active:
        raise ModelInUse(
            f"Version {version} is active in: {', '.join(active)}. Retire it there with POST /models/{version}/retire, "
            "then erase it."
        )
    unfinished = open_jobs(session, jobs)
    if unfinished:
        raise ModelInUse(
            f"The job {unfinished[0]} is to use version {version}. Wait for its end, or cancel it with "
            f"POST /jobs/{unfinished[0]}/cancel; then erase the model."
        )


def _paths_of(model: RegisteredModel, stages: tuple[str, ...]) -> set[str]:
    """The names of its files: those that were deployed, and copies of promotions that have left no row."""
    deployed = {deployment.stage for deployment in model.deployments}
    possible = {
        name for stage in {*stages, *deployed} for name in file_names(model.dataset_name, stage, model.row.version)
    }
    return possible | {deployment.artifact_path for deployment in model.deployments}


def _facts_of(model: RegisteredModel) -> dict[str, object]:
    """What stays: nothing in it comes from a cell or a name of a column."""
    return {
        "version": model.row.version,
        "dataset_name": model.dataset_name,
        "dataset_version": model.dataset_version,
        "job_id": model.row.job_id,
        "candidate": model.row.candidate,
        "sha256": model.sha256,
        "size_bytes": model.deployments[0].size_bytes,
        "deployments": [_stay(deployment) for deployment in model.deployments],
        "trained_at": model.row.trained_at,
        "promoted_at": model.row.promoted_at,
    }


def _stay(deployment: DeploymentRow) -> dict[str, str | None]:
    retired_at = deployment.retired_at
    return {
        "stage": deployment.stage,
        "created_at": deployment.created_at.isoformat(),
        "created_by": deployment.created_by,
        "retired_at": None if retired_at is None else retired_at.isoformat(),
    }
