"""The report of a model: what its training did and measured, and all that its evaluation tells."""

from typing import Any, Self
from uuid import UUID

from pydantic import Field

from api.schemas.base import Moment, ResponseBody
from shared.evaluation.assessment import Assessment
from shared.registry.pins import PinnedTraining
from shared.registry.versions import RegisteredModel
from shared.training.plan import FIRST_RECIPE
from shared.training.treatment import Treatment


class ClassCount(ResponseBody):
    """How many rows of a label there were."""

    label: Any = Field(description="The label.", examples=["setosa"])
    training: int = Field(description="Rows to learn from.", examples=[40])
    test: int = Field(description="Rows to measure on.", examples=[10])


class ReportedPin(ResponseBody):
    """What a training needs to come to the same model; `POST /models/{version}/reproduce` trains by it."""

    dataset_version: int = Field(description="The version of the dataset.", examples=[1])
    dataset_sha256: str = Field(description="The digest of the bytes of that version, in hexadecimal digits.")
    request: dict[str, Any] = Field(
        description="The whole request of this model, with every default filled in: the seed is `random_state`, what "
        "is done to columns `preprocessing` and the `columns` of this report."
    )
    libraries: dict[str, str] = Field(
        description="The releases of Python, of the platform and of the libraries that fitted it; of a model of an "
        "older release, those that are known."
    )
    recipe: int = Field(
        description="The number of the way in which columns became what the estimator was shown; it goes up when a "
        "release changes its defaults.",
        examples=[2],
    )
    machine: str | None = Field(description="The kind of processor; null if it is not known.", examples=["x86_64"])
    threads: int | None = Field(description="How many threads the fit had; null if it is not known.", examples=[2])
    golden_rows: int = Field(
        description="How many rows were kept with the answers of the model, to compare with those of later ones."
    )

    @classmethod
    def from_pinned(cls, pinned: PinnedTraining) -> Self:
        """What the registry knows of a training."""
        pin = pinned.pin
        return cls(
            dataset_version=pinned.source.number or 0,
            dataset_sha256=pinned.source.sha256,
            request=pinned.as_told(),
            libraries=pinned.libraries,
            recipe=FIRST_RECIPE if pin is None else pin.recipe,
            machine=None if pin is None else pin.machine,
            threads=None if pin is None else pin.threads,
            golden_rows=0 if pin is None or pin.golden is None else pin.golden.count,
        )


class ReportedTraining(ResponseBody):
    """What the training did, and how well the model does."""

    version: int = Field(description="The version of the model.", examples=[1])
    dataset_name: str = Field(description="The dataset that it was trained on.", examples=["iris"])
    dataset_version: int = Field(description="The version of that dataset.", examples=[1])
    target: str = Field(description="The column that it predicts.", examples=["target"])
    estimator: str = Field(
        description="What was fitted, as scikit-learn names it.", examples=["ensemble.RandomForestClassifier"]
    )
    task: str | None = Field(description="Whether it predicts labels (`classification`) or numbers (`regression`).")
    job_id: UUID = Field(description="The job that trained it.")
    trained_at: Moment = Field(description="When it was trained.")
    split: dict[str, Any] | None = Field(description="How the rows to measure on were chosen.")
    rows: dict[str, int] | None = Field(description="How many rows were learned from, measured on and left out.")
    metrics: dict[str, Any] = Field(description="How well it does on the rows that were kept from the training.")
    baseline: dict[str, Any] | None = Field(
        description="What a model reaches that looks at no column: its `metrics`, on the same rows."
    )
    classes: list[ClassCount] = Field(description="Rows of each label, the most frequent first; none for numbers.")
    columns: list[Treatment] = Field(description="What was done to each column of the table.")
    fit_seconds: float | None = Field(description="How long it was fitted.")
    warnings: list[str] = Field(description="What scikit-learn warned of while it was fitted.")
    pin: ReportedPin = Field(description="What a training needs to come to the same model.")


class ModelReport(Assessment, ReportedTraining):
    """The report of a model; parts that it does not have are null or empty, and a note says why."""

    notes: list[str] = Field(
        description="What makes the metrics doubtful, what else is worth saying, and what was left out or shortened."
    )

    @classmethod
    def from_registered(cls, model: RegisteredModel, pinned: PinnedTraining, assessment: Assessment | None) -> Self:
        """The report of a model of the registry; without an assessment if it has none."""
        row, report = model.row, model.row.report
        found = assessment or Assessment(notes=[_older(row.job_id)])
        return cls.model_validate(
            found.model_dump()
            | {
                "version": row.version,
                "dataset_name": model.dataset_name,
                "dataset_version": model.dataset_version,
                "target": row.target,
                "estimator": row.estimator,
                "task": row.signature.get("task"),
                "job_id": row.job_id,
                "trained_at": row.trained_at,
                "metrics": row.metrics,
                "pin": ReportedPin.from_pinned(pinned),
                "notes": list(dict.fromkeys([*report.get("notes", []), *found.notes])),
            }
            | {name: report.get(name) for name in ("split", "rows", "baseline", "fit_seconds")}
            | {name: report.get(name, []) for name in ("classes", "columns", "warnings")}
        )


def _older(job_id: UUID) -> str:
    return (
        "This model was trained by a release that measured its metrics only: there are no intervals, curves, "
        f"importances, slices and worst rows. POST /jobs/{job_id}/retry trains the same again, as a new version that "
        "has them."
    )
