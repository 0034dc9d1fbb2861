"""Registered models without a worker: small estimators, fitted here and registered through the real protocol."""

import functools
import importlib.metadata
import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression

from shared.compiled.file import write_model
from shared.compiled.making.making import compile_model
from shared.compiled.model import CompiledModel
from shared.database import Database
from shared.estimators.signature import InputColumn, Signature, Uncertainty
from shared.evaluation.assessment import Assessment
from shared.hashing import digest_of
from shared.jobs import claims
from shared.jobs.acceptance import accept
from shared.jobs.claims import Claim
from shared.jobs.states import Kind
from shared.object_store import ObjectStore
from shared.registry import artifact
from shared.registry.forms import FormFile
from shared.registry.naming import file_names
from shared.registry.promotion import Promotion, check_promotion, commit_promotion, copy_files
from shared.registry.sealing import ArtifactKey, Seal, load_artifact_key, seal
from shared.registry.versions import register, take_model_version
from shared.settings import Settings
from shared.training.facts import ModelFacts
from shared.training.pin import Pin
from tests.support.registry import Data, insert_dataset

IRIS_COLUMNS = ("sepal_length", "sepal_width", "petal_length", "petal_width")
LIBRARIES = {name: importlib.metadata.version(name) for name in ("scikit-learn", "numpy", "pandas")}


@dataclass(frozen=True)
class Fitted:
    """A model with all that is registered about it."""

    model: Any
    signature: Signature
    environment: dict[str, str]
    compiled: CompiledModel | None = None
    assessment: Assessment | None = None
    pin: Pin | None = None

    def in_form(self) -> "Fitted":
        """The same with its compiled form, which nobody has compared."""
        return replace(self, compiled=compile_model(self.model, self.signature))


def numeric_signature(
    *names: str, task: Any = "classification", classes: list[Any] | None = None, missing_allowed: bool = False
) -> Signature:
    """The signature of a model that takes numbers only."""
    return Signature(
        inputs=[InputColumn(name=name, kind="number", missing_allowed=missing_allowed) for name in names],
        target="target",
        task=task,
        classes=classes,
        numeric=True,
    )


# It is fitted once: hundreds of tests only store it.
@functools.cache
def iris_forest(*, trees: int = 5, seed: int = 0) -> Fitted:
    """A small forest that tells the three species by name."""
    data = load_iris()
    labels = data.target_names[data.target]
    model = RandomForestClassifier(trees, random_state=seed, n_jobs=2).fit(data.data, labels)
    signature = numeric_signature(*IRIS_COLUMNS, classes=[str(name) for name in model.classes_])
    return Fitted(model, signature, dict(LIBRARIES))


@functools.cache
def doubling() -> Fitted:
    """A regression that doubles its one input."""
    model = LinearRegression().fit([[0.0], [1.0], [2.0]], [0.0, 2.0, 4.0])
    return Fitted(model, numeric_signature("x", task="regression"), dict(LIBRARIES))


def with_target(fitted: Fitted, target: str) -> Fitted:
    """The same model, said to predict another column."""
    return replace(fitted, signature=fitted.signature.model_copy(update={"target": target}))


def with_promise(fitted: Fitted, margin: float) -> Fitted:
    """The same model with a promise, which is not kept: what is answered shows the same."""
    promise = Uncertainty(level=0.9, margin=margin)
    return replace(fitted, signature=fitted.signature.model_copy(update={"uncertainty": promise}))


@dataclass(frozen=True)
class Platform:
    """Database, store and key, and what a worker would do with them."""

    database: Database
    store: ObjectStore
    settings: Settings
    key: ArtifactKey
    folder: Path

    def dataset(self, name: str = "iris") -> Data:
        """A dataset in the catalog."""
        with self.database.write() as session:
            return insert_dataset(session, name)

    def train(self, data: Data, fitted: Fitted | None = None, *, name: str = "iris") -> int:
        """Register a model as a train job does, and return its version; it is active in the first stage."""
        return self.finish(self.begin(data, name=name), data, fitted or iris_forest(), name=name)

    def begin(self, data: Data, *, name: str = "iris") -> Claim:
        """A train job that has been claimed."""
        with self.database.write() as session:
            job = accept(
                session, kind=Kind.TRAIN, request={}, dataset_name=name, dataset_version_id=data.version_id, key=None
            )
            claim = claims.claim(session, job.id, worker="test", lease_seconds=60)
        assert claim is not None
        return claim

    def finish(self, claim: Claim, data: Data, fitted: Fitted, *, name: str = "iris") -> int:
        """Register the model of a train job that has been claimed."""
        with self.database.write() as session:
            version = take_model_version(session, claim)
        stage = self.settings.stages[0]
        path, form_path = file_names(name, stage, version)
        placed: dict[str, Any] = {"name": name, "stage": stage, "version": version, "job_id": claim.job_id}
        seal = self._put(lambda file: artifact.dump(fitted.model, file), path, fitted, **placed)
        form = None
        if (compiled := fitted.compiled) is not None:
            sealed = self._put(lambda file: write_model(compiled, file), form_path, fitted, **placed)
            form = FormFile(form_path, sealed)
        with self.database.write() as session:
            claims.succeed(session, claim)
            register(
                session,
                version=version,
                job_id=claim.job_id,
                dataset_id=data.dataset_id,
                dataset_version_id=data.version_id,
                stage=stage,
                artifact_path=path,
                seal=seal,
                form=form,
                facts=ModelFacts(
                    estimator=type(fitted.model).__name__,
                    parameters=_plain(fitted.model.get_params()),
                    metrics={"accuracy": 0.9},
                    signature=fitted.signature,
                    report={},
                    environment=fitted.environment,
                    assessment=fitted.assessment,
                    pin=fitted.pin,
                ),
                actor="test",
            )
        return version

    def _put(
        self,
        write: Callable[[Path], None],
        path: str,
        fitted: Fitted,
        *,
        name: str,
        stage: str,
        version: int,
        job_id: UUID,
    ) -> Seal:
        """Store a file of a model and seal it."""
        file = self.folder / f"draft-{path}"
        write(file)
        sha256, size_bytes = digest_of(file)
        self.store.put_new(self.settings.models_bucket, path, file, sha256=sha256)
        return seal(
            self.key,
            dataset_name=name,
            stage=stage,
            version=version,
            job_id=job_id,
            artifact_path=path,
            sha256=sha256,
            size_bytes=size_bytes,
            environment=fitted.environment,
        )

    def promote(self, version: int, stage: str, *, name: str = "iris", replace_target: bool = False) -> dict[str, Any]:
        """Promote as a worker does, and return the job's result."""
        with self.database.read() as session:
            promotion = check_promotion(
                session,
                dataset_name=name,
                version=version,
                target_stage=stage,
                replace_target=replace_target,
                stages=self.settings.stages,
            )
        return self.finish_promotion(promotion)

    def finish_promotion(self, promotion: Promotion) -> dict[str, Any]:
        """Do and commit a promotion that was checked before."""
        version, stage = promotion.version, promotion.target_stage
        folder = self.folder / f"promotion-{version}-{stage}"
        folder.mkdir(exist_ok=True)
        copied = copy_files(self.store, self.settings, self.key, promotion, folder=folder)
        with self.database.write() as session:
            return commit_promotion(session, promotion, copied=copied, actor="test")

    def overwrite(self, path: str, change: Callable[[bytes], bytes]) -> None:
        """Put other bytes under a model's name, as somebody with access to the bucket could."""
        bucket = self.settings.models_bucket
        with self.store.open(bucket, path) as file:
            changed = change(file.read())
        self.store.delete(bucket, path)
        draft = self.folder / f"other-{path}"
        draft.write_bytes(changed)
        self.store.put_new(bucket, path, draft, sha256=digest_of(draft)[0])

    def elsewhere(self) -> "Platform":
        """The same platform as another process sees it: over connections of its own."""
        url = self.database.engine.url.render_as_string(hide_password=False)
        return replace(self, database=Database(url))


def open_platform(database: Database, store: ObjectStore, settings: Settings, folder: Path) -> Platform:
    """A platform over opened parts; its key is in the home of the settings."""
    settings.home.mkdir(parents=True, exist_ok=True)
    return Platform(database, store, settings, load_artifact_key(settings), folder)


class Planted:
    """An object whose loading leaves a trace: what an attacker would put into a pickle."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.trace,))


def attackers_pickle(trace: Path) -> bytes:
    """A valid pickle that makes the file `trace` when it is loaded."""
    return pickle.dumps(Planted(trace), protocol=5)


def _plain(parameters: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if isinstance(value, int | float | str | None)}
