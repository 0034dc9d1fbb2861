"""What a training tells about its model; the registry keeps all of it."""

from typing import Any

from pydantic import BaseModel

from shared.compiled.compilation import Compilation
from shared.estimators.signature import Signature
from shared.evaluation.assessment import Assessment
from shared.training.pin import Pin


class ModelFacts(BaseModel):
    """All that is known of a model beside its file."""

    estimator: str
    # Every parameter of the estimator with its value.
    parameters: dict[str, Any]
    metrics: dict[str, Any]
    signature: Signature
    report: dict[str, Any]
    # The versions of what the model depends on.
    environment: dict[str, str]
    # What came of making its compiled form; None where nobody tried.
    compilation: Compilation | None = None
    # What the evaluation tells beside the metrics; None where nobody looked.
    assessment: Assessment | None = None
    # What it ran with, and rows to compare answers by; None where nobody asked.
    pin: Pin | None = None


def with_files(
    facts: ModelFacts, *, peak_memory_bytes: int | None, artifact_bytes: int, form_bytes: int | None
) -> ModelFacts:
    """The facts with what is known only when the files of the model are written, among what it takes."""
    assessment = facts.assessment
    if assessment is None or assessment.costs is None:
        return facts
    found = {"peak_memory_bytes": peak_memory_bytes, "artifact_bytes": artifact_bytes, "form_bytes": form_bytes}
    costs = assessment.costs.model_copy(update=found)
    return facts.model_copy(update={"assessment": assessment.model_copy(update={"costs": costs})})
