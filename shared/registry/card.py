"""The card of a model: what it is and what it is not, put together from facts of the registry and from no others."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from shared.datasets.rows import DatasetRow
from shared.evaluation.assessment import Assessment, Slice
from shared.evaluation.threshold_told import ThresholdTold
from shared.registry.assessments import find_assessment
from shared.registry.pins import PinnedTraining, pinned_training
from shared.registry.versions import RegisteredModel, find_model
from shared.training.treatment import Treatment


class CardData(BaseModel):
    """What a model learnt from."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(description="The dataset.", examples=["iris"])
    description: str | None = Field(description="What the one who uploaded it says of it.")
    version: int = Field(description="The version of the dataset.")
    sha256: str = Field(description="The digest of its bytes, in hexadecimal digits.")
    rows: dict[str, int] | None = Field(description="How many rows were learned from, measured on and left out.")
    split: dict[str, Any] | None = Field(description="How the rows to measure on were chosen.")


class CardMetric(BaseModel):
    """One metric, measured on the rows that were kept from the training."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(description="Its name.", examples=["accuracy"])
    value: float | None = Field(description="What the model reaches.")
    interval: tuple[float, float] | None = Field(description="The range that holds it in 95 of 100 draws of the rows.")
    baseline: float | None = Field(description="What a model reaches that looks at no column.")


class CardStage(BaseModel):
    """A stay of the model in a stage."""

    model_config = ConfigDict(frozen=True)

    stage: str = Field(description="The stage.", examples=["staging"])
    since: datetime = Field(description="When it came there.")
    until: datetime | None = Field(description="When it was retired from there; null while it is active.")
    reason: str | None = Field(description="Why it was retired.")


class ModelCard(BaseModel):
    """What is known of a model, for those who are to decide whether to use it."""

    model_config = ConfigDict(frozen=True)

    version: int = Field(description="The version of the model.")
    task: str | None = Field(description="Whether it predicts labels (`classification`) or numbers (`regression`).")
    target: str = Field(description="The column that it predicts.", examples=["species"])
    classes: list[Any] | None = Field(description="The labels that it knows; null for numbers.")
    estimator: str = Field(description="What was fitted.", examples=["ensemble.RandomForestClassifier"])
    parameters: dict[str, Any] = Field(description="Its parameters, with the defaults.")
    trained_at: datetime = Field(description="When it was trained.")
    data: CardData = Field(description="What it learnt from.")
    columns: list[Treatment] = Field(description="What was done to each column of the table.")
    metrics: list[CardMetric] = Field(description="How well it does.")
    threshold: ThresholdTold | None = Field(
        description="From which probability on it says the positive one of two labels; null where the likelier is said."
    )
    slices: list[Slice] = Field(description="Where it does better or worse: metrics of some of the rows.")
    notes: list[str] = Field(description="What limits it, and what makes its metrics doubtful.")
    stages: list[CardStage] = Field(description="All its stays in stages, the earliest first.")
    libraries: dict[str, str] = Field(description="The releases that fitted it.")
    tags: list[str] = Field(description="The words that somebody put on it.")
    note: str | None = Field(description="What somebody noted about it.")
    sha256: str = Field(description="The digest of its file, in hexadecimal digits.")

    @property
    def stage(self) -> str:
        """Where it came last."""
        return self.stages[-1].stage


def card_of(session: Session, version: int) -> ModelCard:
    """The card of a version.

    Raises:
        UnknownModel, ModelErased: when there is no such model, or no longer.
    """
    model = find_model(session, version)
    row, assessment = model.row, find_assessment(session, version) or Assessment()
    pinned = pinned_training(session, row)
    return ModelCard(
        version=version,
        task=row.signature.get("task"),
        target=row.target,
        classes=row.signature.get("classes"),
        estimator=row.estimator,
        parameters=row.parameters,
        trained_at=row.trained_at,
        data=_data(session, model, pinned),
        columns=row.report.get("columns", []),
        metrics=_metrics(model, assessment),
        threshold=assessment.threshold,
        slices=assessment.slices,
        notes=list(dict.fromkeys([*row.report.get("notes", []), *assessment.notes, *row.report.get("warnings", [])])),
        stages=[
            CardStage(stage=stay.stage, since=stay.created_at, until=stay.retired_at, reason=stay.retired_reason)
            for stay in model.deployments
        ],
        libraries=pinned.libraries,
        tags=model.tags,
        note=row.note,
        sha256=model.sha256,
    )


def _data(session: Session, model: RegisteredModel, pinned: PinnedTraining) -> CardData:
    return CardData(
        name=model.dataset_name,
        description=session.get_one(DatasetRow, model.row.dataset_id).description,
        version=model.dataset_version,
        sha256=pinned.source.sha256,
        rows=model.row.report.get("rows"),
        split=model.row.report.get("split"),
    )


def _metrics(model: RegisteredModel, assessment: Assessment) -> list[CardMetric]:
    baseline = (model.row.report.get("baseline") or {}).get("metrics", {})
    return [
        CardMetric(name=name, value=value, interval=assessment.intervals.get(name), baseline=baseline.get(name))
        for name, value in model.row.metrics.items()
    ]
