"""Which artifact answers a request: the serving one of an environment, or one version that is active there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.datasets.catalog import find_dataset
from shared.datasets.rows import DatasetRow, DatasetVersionRow
from shared.errors import NoActiveModel, NotActive, TargetDiffers, closest, meant
from shared.prediction.csv_reading import LearntReading
from shared.registry import deployments
from shared.registry.active import ActiveModel, active_models
from shared.registry.forms import form_of, formed, is_hopeless
from shared.registry.rows import RegistryRow
from shared.registry.sealing import Artifact
from shared.registry.targets import active_targets
from shared.tables.names import settled_name
from shared.tables.options import ReadingOptions
from shared.tables.reading import Reading

_MOST_TARGETS = 10
# Each model without a compiled form has a process, which is not started for models that nobody may ask.
_MOST_PROCESSES = 4


@dataclass(frozen=True)
class Served:
    """An artifact that may answer; what is known of it is of the registry's `generation` or newer.

    `targets` are those of all versions that are active in its place. `form` is the compiled form of the model there;
    `may_have_form` says that there is none and that one can be asked for.
    """

    artifact: Artifact
    form: Artifact | None
    may_have_form: bool
    signature: dict[str, Any]
    estimator: str
    learnt: LearntReading
    generation: int
    targets: tuple[str, ...]

    @property
    def loaded(self) -> Artifact:
        """The file that is loaded for predictions."""
        return self.form or self.artifact


def find_served(
    session: Session,
    *,
    dataset_name: str,
    environment: str,
    target: str | None = None,
    version: int | None,
    stages: Sequence[str],
) -> Served:
    """The artifact that answers for a dataset in an environment; of `version`, or of the serving one of a target.

    Raises:
        UnknownStage: when there is no such environment.
        UnknownDataset: when there is no such dataset.
        NoActiveModel: when no version of it is active there, or none that predicts the target.
        NotActive: when others are, but not the one that is asked for.
        TargetDiffers: when the version that is asked for does not predict the target that is asked for.
    """
    deployments.check_stage(environment, stages)
    # Read first: whatever is read after it is at least as new.
    generation = deployments.generation(session)
    dataset = find_dataset(session, dataset_name, include_archived=True)
    newest = active_targets(session, dataset.id, environment)
    if not newest:
        raise NoActiveModel(_what_to_do(dataset_name, environment, stages))
    target = None if target is None else settled_name(target, newest)
    if version is None and target is not None and target not in newest:
        raise _other_targets(dataset_name, environment, target, newest)
    serving = max(newest.values()) if version is not None or target is None else newest[target]
    artifact = _active(session, dataset, environment, version or serving, serving)
    registered = session.get_one(RegistryRow, artifact.version)
    if target is not None and target != registered.target:
        raise _another_target(artifact, registered.target, target)
    return _served(session, artifact, registered, generation=generation, targets=tuple(sorted(newest)))


def preloadable(session: Session, stages: Sequence[str]) -> list[ActiveModel]:
    """What serves each dataset in each stage, in the order in which it is best made ready at a start."""
    newest = {(model.dataset_name, model.stage): model for model in reversed(active_models(session))}
    serving = [model for model in newest.values() if model.stage in stages]
    serving.sort(key=lambda model: (-stages.index(model.stage), -model.version))
    in_form = formed(session, {model.version for model in serving})
    apart = [model for model in serving if (model.stage, model.version) not in in_form]
    too_many = set(apart[_MOST_PROCESSES:])
    return [model for model in serving if model not in too_many]


def _served(
    session: Session, artifact: Artifact, registered: RegistryRow, *, generation: int, targets: tuple[str, ...]
) -> Served:
    form = form_of(session, artifact)
    return Served(
        artifact,
        form,
        may_have_form=form is None and not is_hopeless(session, artifact.version),
        signature=registered.signature,
        estimator=registered.estimator,
        learnt=_learnt_reading(session, artifact),
        generation=generation,
        targets=targets,
    )


def _active(session: Session, dataset: DatasetRow, environment: str, version: int, serving: int) -> Artifact:
    artifact = deployments.active(session, version, environment)
    # The dataset is the deployment's, which the seal covers.
    if artifact is None or artifact.dataset_name != dataset.name:
        raise NotActive(
            f"Version {version} of '{dataset.name}' is not active in '{environment}'; version {serving} serves there. "
            f"GET /models?dataset_name={dataset.name}&stage={environment} lists the active versions."
        )
    return artifact


def _learnt_reading(session: Session, artifact: Artifact) -> LearntReading:
    query = (
        select(DatasetVersionRow.reading, DatasetVersionRow.options)
        .join(RegistryRow, RegistryRow.dataset_version_id == DatasetVersionRow.id)
        .where(RegistryRow.version == artifact.version)
    )
    reading, options = session.execute(query).one()
    return LearntReading(Reading.model_validate(reading), ReadingOptions.model_validate(options).encoding)


def _what_to_do(dataset_name: str, environment: str, stages: Sequence[str]) -> str:
    nothing = f"No model of '{dataset_name}' is active in '{environment}'."
    if environment == stages[0]:
        return f"{nothing} Train one with POST /train."
    before = stages[stages.index(environment) - 1]
    return f"{nothing} Bring one there from '{before}' with POST /promote."


def _another_target(artifact: Artifact, predicted: str, target: str) -> TargetDiffers:
    return TargetDiffers(
        f"Version {artifact.version} of '{artifact.dataset_name}' predicts '{predicted}', not '{target}'. Leave out "
        "one of the two.",
        did_you_mean=closest(target, [predicted]),
        available=[predicted],
    )


def _other_targets(dataset_name: str, environment: str, target: str, newest: Mapping[str, int]) -> NoActiveModel:
    there = [f"'{other}' (version {version})" for other, version in newest.items()]
    more = f" and {len(there) - _MOST_TARGETS} more" if len(there) > _MOST_TARGETS else ""
    near = closest(target, newest)
    return NoActiveModel(
        f"No version of '{dataset_name}' that predicts '{target}' is active in '{environment}'. Predicted there: "
        f"{', '.join(there[:_MOST_TARGETS])}{more}.{meant(near)}",
        did_you_mean=near,
        available=newest,
    )
