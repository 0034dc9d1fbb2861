"""Which artifact answers a request: the serving one of an environment, or one version that is active there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.datasets.catalog import find_dataset
from shared.datasets.rows import DatasetRow
from shared.errors import NoActiveModel, NotActive
from shared.registry import deployments
from shared.registry.rows import RegistryRow
from shared.registry.sealing import Artifact


@dataclass(frozen=True)
class Served:
    """An artifact that may answer, and the registry's generation of which this is known at least."""

    artifact: Artifact
    signature: dict[str, Any]
    generation: int


def find_served(
    session: Session, *, dataset_name: str, environment: str, version: int | None, stages: Sequence[str]
) -> Served:
    """The artifact that answers for a dataset in an environment; of `version`, or of the serving one.

    Raises:
        UnknownStage: when there is no such environment.
        UnknownDataset: when there is no such dataset.
        NoActiveModel: when no version of it is active there.
        NotActive: when others are, but not the one that is asked for.
    """
    deployments.check_stage(environment, stages)
    # Read first: whatever is read after it is at least as new.
    generation = deployments.generation(session)
    dataset = find_dataset(session, dataset_name, include_archived=True)
    artifact = deployments.serving(session, dataset.id, environment)
    if artifact is None:
        raise NoActiveModel(_what_to_do(dataset_name, environment, stages))
    if version is not None and version != artifact.version:
        artifact = _active(session, dataset, environment, version, artifact.version)
    query = select(RegistryRow.signature).where(RegistryRow.version == artifact.version)
    return Served(artifact, session.execute(query).scalar_one(), generation)


def _active(session: Session, dataset: DatasetRow, environment: str, version: int, serving: int) -> Artifact:
    artifact = deployments.active(session, version, environment)
    # By the deployment, as its seal has it.
    if artifact is None or artifact.dataset_name != dataset.name:
        raise NotActive(
            f"Version {version} of '{dataset.name}' is not active in '{environment}'; version {serving} serves there. "
            f"GET /models?dataset_name={dataset.name}&stage={environment} lists the active versions."
        )
    return artifact


def _what_to_do(dataset_name: str, environment: str, stages: Sequence[str]) -> str:
    nothing = f"No model of '{dataset_name}' is active in '{environment}'."
    if environment == stages[0]:
        return f"{nothing} Train one with POST /train."
    before = stages[stages.index(environment) - 1]
    return f"{nothing} Bring one there from '{before}' with POST /promote."
