"""What the evaluations of registered models tell beside the metrics."""

from collections.abc import Sequence

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from shared.evaluation.assessment import Assessment, Range
from shared.registry.rows import AssessmentRow


def add_assessment(session: Session, version: int, assessment: Assessment) -> None:
    """Keep what the evaluation of a version tells, in the transaction that registers it."""
    session.execute(insert(AssessmentRow).values(version=version, assessment=assessment.model_dump(mode="json")))


def find_assessment(session: Session, version: int) -> Assessment | None:
    """What the evaluation of a version tells; None for models of releases that did not look."""
    stored = session.scalar(select(AssessmentRow.assessment).where(AssessmentRow.version == version))
    return None if stored is None else Assessment.model_validate(stored)


def find_intervals(session: Session, versions: Sequence[int]) -> dict[int, dict[str, Range]]:
    """The intervals of the metrics of these versions; nothing for models of releases that did not look."""
    query = select(AssessmentRow.version, AssessmentRow.assessment).where(AssessmentRow.version.in_(versions))
    found = {row.version: Assessment.model_validate(row.assessment) for row in session.execute(query)}
    return {version: assessment.intervals for version, assessment in found.items()}
