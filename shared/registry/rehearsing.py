"""The rehearsal of an upgrade: does each active model load under the libraries that are here, and say the same?

It changes nothing. Models are loaded and trained in processes that can be killed and hold no secret.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal

from pydantic import BaseModel

from shared.database import Database
from shared.datasets.fetching import fetch
from shared.errors import ArtifactCorrupt, Conflict, DatasetCorrupt, Invalid, Unknown
from shared.object_store import ObjectMissing, ObjectStore
from shared.registry import artifact
from shared.registry.active import active_models
from shared.registry.deployments import artifact_of
from shared.registry.pins import pinned_training
from shared.registry.rehearsal_orders import ASK_FILE, HEARD_FILE, MODEL_FILE, TABLE_FILE, TRAIN_FILE, AskOrder, Heard
from shared.registry.reproductions import PlannedReproduction, plan_reproduction
from shared.registry.sealing import Artifact, ArtifactKey
from shared.registry.versions import RegisteredModel, find_model
from shared.sandbox import ProcessLimits, Sandbox
from shared.settings import Settings
from shared.training.pin import ComparedRows, GoldenRows, installed_instead
from shared.training.reproduction import OtherRelease, Reproduction, order_of, reproduction_of

ENTRY = "shared.registry.rehearsal_process:main"
_LOAD_SECONDS = 300.0

Verdict = Literal["equal", "unknown", "changed", "broken"]
_WORSE: Final[tuple[Verdict, ...]] = ("equal", "unknown", "changed", "broken")


class RehearsedModel(BaseModel):
    """What a version would be after the upgrade."""

    version: int
    dataset_name: str
    stages: list[str]
    verdict: Verdict
    reason: str
    # How the stored model answers; None where it does not, or no rows were kept.
    rows: ComparedRows | None = None
    libraries: dict[str, OtherRelease] = {}
    # What came of training it again; None where that was not asked for, or gave no model.
    refit: Reproduction | None = None


@dataclass(frozen=True)
class Rehearsing:
    """What all models are rehearsed with."""

    database: Database
    store: ObjectStore
    settings: Settings
    key: ArtifactKey
    refit: bool = False

    def models(self, versions: Sequence[int] = ()) -> Iterator[RehearsedModel]:
        """Rehearse these versions, or all that are active in a stage, one after the other.

        Raises:
            UnknownModel, ModelErased: when there is no such version, or no longer.
            Unavailable: when database or store do not answer.
        """
        with self.database.read() as session:
            wanted = versions or sorted({each.version for each in active_models(session)})
        with TemporaryDirectory(prefix="mlmini-rehearsal-") as place:
            root = Path(place)
            with closing(Sandbox(ENTRY, scratch=root)) as sandbox:
                for version in wanted:
                    yield self._rehearse(sandbox, root, version)

    def _rehearse(self, sandbox: Sandbox, root: Path, version: int) -> RehearsedModel:
        with self.database.read() as session:
            model = find_model(session, version)
            pinned = pinned_training(session, model.row)
            active = [each for each in model.deployments if each.retired_at is None]
            stored = artifact_of(session, active[-1] if active else model.deployment(None))
        heard = self._ask(sandbox, root, stored, None if pinned.pin is None else pinned.pin.golden)
        found = RehearsedModel(
            version=version,
            dataset_name=model.dataset_name,
            stages=list(dict.fromkeys(each.stage for each in active)),
            rows=heard.rows,
            libraries={
                name: OtherRelease(then=each["then"], now=each["now"])
                for name, each in installed_instead(pinned.libraries).items()
            },
            **_judged(heard),
        )
        return self._trained_again(sandbox, root, model, found) if self.refit else found

    def _ask(self, sandbox: Sandbox, root: Path, stored: Artifact, golden: GoldenRows | None) -> Heard:
        with _folder(root) as folder:
            try:
                artifact.fetch(self.store, self.settings, self.key, stored, folder / MODEL_FILE)
            except ArtifactCorrupt as error:
                return Heard(problem=error.detail)
            order = AskOrder(
                version=stored.version,
                sha256=stored.seal.sha256,
                environment=dict(stored.environment),
                golden=golden,
            )
            (folder / ASK_FILE).write_text(order.model_dump_json())
            return self._run(sandbox, folder, seconds=_LOAD_SECONDS)

    def _trained_again(
        self, sandbox: Sandbox, root: Path, model: RegisteredModel, found: RehearsedModel
    ) -> RehearsedModel:
        """The same with what came of training it again; the worse of both verdicts counts."""
        try:
            with self.database.read() as session:
                plan = plan_reproduction(session, found.version)
            heard = self._train(sandbox, root, plan)
        except (Unknown, Conflict, Invalid) as error:
            heard = Heard(problem=error.detail)
        if heard.repeated is None:
            return _worse(found, "broken", f"Training it again fails: {heard.problem}")
        refit = reproduction_of(
            plan.spec,
            heard.repeated,
            version=found.version,
            metrics=model.row.metrics,
            pin=plan.pinned.pin,
            libraries=plan.pinned.libraries,
        )
        return _with_refit(found, refit)

    def _train(self, sandbox: Sandbox, root: Path, plan: PlannedReproduction) -> Heard:
        source, pin = plan.pinned.source, plan.pinned.pin
        with _folder(root) as folder:
            try:
                bucket = self.settings.datasets_bucket
                self.store.stat(bucket, source.object_key)
                file = fetch(self.store, bucket, source.object_key, folder, end=None, sha256=source.sha256)
            except ObjectMissing:
                return Heard(problem="The file of its table is gone.")
            except DatasetCorrupt as error:
                return Heard(problem=error.detail)
            file.rename(folder / TABLE_FILE)
            own = [node.estimator for node in plan.spec.model.tree().all() if node.estimator.own]
            order = order_of(plan.spec, source, threads=1 if pin is None else pin.threads, pin=pin, own=own)
            (folder / TRAIN_FILE).write_text(order.model_dump_json(by_alias=True))
            return self._run(sandbox, folder, seconds=self.settings.job_seconds)

    def _run(self, sandbox: Sandbox, folder: Path, *, seconds: float) -> Heard:
        process = sandbox.run(folder, ProcessLimits(memory_mb=self.settings.job_memory_mb))
        ending = process.wait(timeout=seconds)
        if ending is None:
            process.abandon()
            return Heard(problem=f"It takes longer than {seconds:,.0f} s.")
        if ending.out_of_memory:
            return Heard(problem=f"It needs more than the {self.settings.job_memory_mb:,} MiB of MLMINI_JOB_MEMORY_MB.")
        if not ending.ok:
            return Heard(problem=f"The process ended without an answer: {ending}.")
        return Heard.model_validate_json((folder / HEARD_FILE).read_bytes())


def _judged(heard: Heard) -> dict[str, Any]:
    """The verdict on a stored model, and the reason."""
    if heard.problem is not None:
        return {"verdict": "broken", "reason": heard.problem}
    if heard.rows is None:
        told = "It loads. No rows were kept with it to ask it about; train it again, or look with --refit."
        return {"verdict": "unknown", "reason": told}
    if heard.rows.different:
        return {
            "verdict": "changed",
            "reason": f"Another answer for {heard.rows.different} of {heard.rows.compared} rows.",
        }
    return {"verdict": "equal", "reason": f"The same answers for {heard.rows.compared} rows."}


def _with_refit(found: RehearsedModel, refit: Reproduction) -> RehearsedModel:
    told = found.model_copy(update={"refit": refit})
    if not refit.equal:
        return _worse(told, "changed", "Training it again gives another model.")
    if told.verdict == "unknown":
        return told.model_copy(
            update={"verdict": "equal", "reason": "It loads, and training it again gives the same metrics."}
        )
    return told


def _worse(found: RehearsedModel, verdict: Verdict, reason: str) -> RehearsedModel:
    """The worse verdict, with both reasons."""
    worst = max(found.verdict, verdict, key=_WORSE.index)
    reasons = reason if found.verdict == "equal" else f"{found.reason} {reason}"
    return found.model_copy(update={"verdict": worst, "reason": reasons})


@contextmanager
def _folder(root: Path) -> Iterator[Path]:
    """A private folder of one process."""
    with TemporaryDirectory(dir=root) as folder:
        yield Path(folder)
