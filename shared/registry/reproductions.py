"""Which registered models can be trained once more, and from what."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from shared.errors import LibraryNotInstalled, NotReproducible, UnknownEstimator, UnreadableRequest
from shared.estimators.own.rows import refresh
from shared.registry.assessments import find_assessment
from shared.registry.pins import PinnedTraining, pinned_training
from shared.registry.versions import RegisteredModel, find_model
from shared.training.checks.libraries import problems_of_libraries
from shared.training.search.placing import with_values
from shared.training.spec import TrainingSpec


@dataclass(frozen=True)
class PlannedReproduction:
    """A registered model, and the training that made it."""

    model: RegisteredModel
    spec: TrainingSpec
    pinned: PinnedTraining


def plan_reproduction(session: Session, version: int) -> PlannedReproduction:
    """What has to be done to train a model once more.

    Raises:
        UnknownModel, ModelErased: when there is no such model, or no longer.
        NotReproducible: when this release cannot read the request of an older one.
        LibraryNotInstalled: when an estimator of it is not here; says how to install it.
    """
    refresh(session)
    model = find_model(session, version)
    pinned = pinned_training(session, model.row)
    try:
        spec = _as_fitted(session, version, pinned.spec())
        tree = spec.model.tree()
    except UnreadableRequest:
        raise NotReproducible(
            f"Version {version} was trained by a request of an older release, which this one does not read. Train it "
            "again with POST /train."
        ) from None
    except UnknownEstimator:
        raise LibraryNotInstalled(
            f"Version {version} is a {model.row.estimator}, which no worker knows. Install its package with the API "
            "and on every worker, and name the class as docs/estimators.md says."
        ) from None
    for problem in problems_of_libraries(tree):
        raise problem
    return PlannedReproduction(model, spec, pinned)


def _as_fitted(session: Session, version: int, spec: TrainingSpec) -> TrainingSpec:
    """The training with the parameters that its search chose, if there was one: a time may end another search sooner.

    Raises:
        UnreadableRequest: when it is not kept what the search chose.
    """
    if spec.search is None:
        return spec
    assessment = find_assessment(session, version)
    if assessment is None or assessment.search is None:
        raise UnreadableRequest
    model = with_values(spec.model, assessment.search.chosen)
    return spec.model_copy(update={"model": model, "search": None})
