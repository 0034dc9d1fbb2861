"""What a train job has stored and is about to register, and what its result says of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.registry.forms import FormFile
from shared.registry.sealing import Seal
from shared.training.facts import ModelFacts
from shared.training.treatment import Treatment
from worker.handover import FailedCandidate, FittedCandidate

_MOST_LEFT_OUT = 100
# What the result tells of a search; the report of the model has the rest.
_OF_SEARCH = {"method", "metric", "folds", "trials_asked", "trials_done", "trials_failed", "seconds", "stopped"} | {
    *("chosen", "score", "within_noise"),
}


@dataclass(frozen=True)
class StagedModel:
    """A model whose files are stored under the version that was taken for it."""

    version: int
    stage: str
    path: str
    seal: Seal
    form: FormFile | None
    fitted: FittedCandidate


@dataclass(frozen=True)
class Contest:
    """The models of one job, the best first, and the candidates without one; `ranked` if several were asked for."""

    best_first: Sequence[StagedModel]
    failed: Sequence[FailedCandidate]
    ranked: bool

    def result(self) -> dict[str, object]:
        """The result of the job: that of its best model, and the leaderboard."""
        best = self.best_first[0]
        facts = best.fitted.facts
        result: dict[str, object] = {
            "version": best.version,
            "target": facts.signature.target,
            "stage": best.stage,
            "artifact_path": best.path,
            "metrics": facts.metrics,
            "baseline": facts.report["baseline"]["metrics"],
            "left_out": _left_out(facts),
            "notes": [*facts.report["notes"], *map(_sentence, self.failed)],
        }
        if facts.assessment is not None and (search := facts.assessment.search) is not None:
            result["search"] = search.model_dump(mode="json", include=_OF_SEARCH)
        return result | ({"leaderboard": [_entry(staged) for staged in self.best_first]} if self.ranked else {})


def _entry(staged: StagedModel) -> dict[str, Any]:
    facts = staged.fitted.facts
    standing = None if facts.assessment is None else facts.assessment.standing
    return {
        "version": staged.version,
        "estimator": facts.estimator,
        "metrics": facts.metrics,
        **({} if standing is None else standing.model_dump(mode="json", exclude={"of"})),
        "candidate": staged.fitted.candidate,
        "artifact_path": staged.path,
    }


def _sentence(failed: FailedCandidate) -> str:
    return f"Model {failed.candidate} of the request, {failed.estimator}, is not in the leaderboard: {failed.detail}"


def _left_out(facts: ModelFacts) -> list[dict[str, str]]:
    """The columns that the model does not use, and why; of very many, the first."""
    treatments = [Treatment.model_validate(column) for column in facts.report["columns"]]
    left = [treatment for treatment in treatments if treatment.role == "left_out"]
    return [{"column": each.column, "reason": each.reason} for each in left[:_MOST_LEFT_OUT]]
