"""What the evaluations of registered models tell beside the metrics."""

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from shared.evaluation.assessment import Assessment
from shared.registry.rows import AssessmentRow


def add_assessment(session: Session, version: int, assessment: Assessment) -> None:
    """Keep what the evaluation of a version tells, in the transaction that registers it."""
    session.execute(insert(AssessmentRow).values(version=version, assessment=assessment.model_dump(mode="json")))


def find_assessment(session: Session, version: int) -> Assessment | None:
    """What the evaluation of a version tells; None for models of releases that did not look."""
    stored = session.scalar(select(AssessmentRow.assessment).where(AssessmentRow.version == version))
    return None if stored is None else Assessment.model_validate(stored)
