"""The one model of an exported folder, ready to serve, with no database and no store behind it."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from shared.errors import NoActiveModel, NotActive, TargetDiffers, UnknownDataset, closest, meant
from shared.exported.folder import ExportedFolder
from shared.exported.manifest import FolderRefused
from shared.prediction.computing import ModelInForm
from shared.prediction.csv_reading import LearntReading
from shared.prediction.loaded import ServingPlace
from shared.prediction.predictor import Predictor
from shared.prediction.processes import PredictingProcesses
from shared.prediction.sandboxed import load_sandboxed
from shared.registry.sealing import Artifact, Seal
from shared.scratch import scratch_errors
from shared.settings import Settings

# A smaller file is kept in memory.
_HELD_BYTES = 16 * 2**20


@dataclass(frozen=True)
class ExportedModel:
    """One predictor, in one place."""

    place: ServingPlace
    predictor: Predictor

    def find(self, place: ServingPlace, version: int | None) -> Predictor | None:
        """The predictor, if it is meant."""
        asked = place.of_any_target == self.place and version in {None, self.predictor.version}
        return self.predictor if asked and place.target in {None, self.predictor.signature.target} else None

    def find_only(self, place: ServingPlace) -> Predictor | None:
        """The predictor, if it is meant without a target."""
        return self.predictor if place == self.place else None

    def get(
        self, dataset_name: str, environment: str, version: int | None = None, target: str | None = None
    ) -> Predictor:
        """The same, with a sentence where another model is meant.

        Raises:
            UnknownDataset, NoActiveModel, NotActive, TargetDiffers: saying what is here.
        """
        found = self.find(ServingPlace(dataset_name, environment, target), version)
        if found is not None:
            return found
        name, stage, learnt = self.place.dataset_name, self.place.environment, self.predictor.signature.target
        here = f"This server has one model, version {self.predictor.version} of '{name}' from '{stage}'"
        if dataset_name != name:
            near = closest(dataset_name, [name])
            raise UnknownDataset(f"{here}, and none of '{dataset_name}'.{meant(near)}", did_you_mean=near)
        if environment != stage:
            raise NoActiveModel(f"{here}, and none from '{environment}'. Ask for '{stage}', or '{name}@{stage}'.")
        if version is not None and version != self.predictor.version:
            raise NotActive(f"{here}, and not version {version}.")
        raise TargetDiffers(f"{here}. It predicts '{learnt}', not '{target}'.", available=[learnt])

    def targets(self, place: ServingPlace) -> tuple[str, ...]:
        """What it predicts."""
        return (self.predictor.signature.target,) if place.of_any_target == self.place else ()


def load_exported(folder: ExportedFolder, settings: Settings, processes: PredictingProcesses) -> ExportedModel:
    """Make the model of a folder ready: here by its compiled form, or in a process of its own.

    Raises:
        FolderRefused: when its file is missing, is not the one that was exported, or is of another release.
        ModelUnavailable, ModelTooLarge, PredictorEnded: as `load_sandboxed` does.
        ScratchFull, ScratchUnavailable: when its file cannot be copied.
    """
    manifest = folder.manifest
    predictor = _sandboxed(folder, settings, processes) if manifest.file.runs_code else _in_form(folder, settings)
    return ExportedModel(ServingPlace(manifest.dataset_name, manifest.stage), predictor)


def _in_form(folder: ExportedFolder, settings: Settings) -> Predictor:
    from shared.compiled.file import read_model
    from shared.compiled.parts import FormDamaged

    manifest = folder.manifest
    with tempfile.SpooledTemporaryFile(_HELD_BYTES, dir=str(settings.scratch)) as file:
        with scratch_errors():
            folder.copy_model(file)
            # Also writes what is still in its buffer.
            file.seek(0)
        try:
            compiled = read_model(file)
        except FormDamaged as error:
            raise FolderRefused(
                f"{manifest.file.name} is no compiled form of this release: {error}. Export the model again with this "
                "release."
            ) from error
    computes = ModelInForm(compiled, manifest.signature, manifest.estimator.rpartition(".")[2])
    try:
        computes.check_signature()
    except FormDamaged as error:
        raise FolderRefused(
            f"{manifest.file.name} is not of the model that its manifest describes: {error}. Export it again."
        ) from error
    computes.warm_up()
    return Predictor(manifest.version, computes, compiled.memory_bytes, _learnt(folder), in_form=True)


def _sandboxed(folder: ExportedFolder, settings: Settings, processes: PredictingProcesses) -> Predictor:
    manifest = folder.manifest

    def copy(target: Path) -> None:
        with target.open("wb") as file:
            folder.copy_model(file)

    computes = load_sandboxed(copy, settings, _artifact(folder), signature=manifest.signature, processes=processes)
    return Predictor(manifest.version, computes, computes.memory_bytes, _learnt(folder))


def _artifact(folder: ExportedFolder) -> Artifact:
    """The file as the registry would describe it; the seal of the folder has vouched for its digest."""
    manifest = folder.manifest
    file = manifest.file
    return Artifact(
        dataset_name=manifest.dataset_name,
        stage=manifest.stage,
        version=manifest.version,
        job_id=manifest.job_id,
        artifact_path=file.name,
        environment=manifest.environment,
        seal=Seal(sha256=file.sha256, size_bytes=file.size_bytes, hmac="", hmac_key_id=""),
    )


def _learnt(folder: ExportedFolder) -> LearntReading:
    return LearntReading(folder.manifest.reading, folder.manifest.encoding)
