"""What a training would do, as a dry run tells it."""

from collections.abc import Iterable
from typing import Self

from pydantic import Field

from api.schemas.base import ResponseBody
from api.schemas.problems import ProblemPart, readable
from api.schemas.queue import JobLimits
from shared.errors import PlatformError
from shared.jobs.limits import RunLimits
from shared.tables.columns import ColumnKind
from shared.training.resolution import Rehearsal
from shared.training.spec import JobSpec
from shared.training.treatment import Role


class ColumnTreatment(ResponseBody):
    """What is done to one column before the estimator sees it."""

    column: str = Field(description="The name of the column.", examples=["age"])
    kind: ColumnKind = Field(description="What its values are.")
    role: Role = Field(description="As what the estimator sees it, if it does.")
    treatment: str = Field(
        description="What is done to it, in words.", examples=["used as a number, missing values become the median"]
    )


class TrainProblem(ResponseBody):
    """One reason why a training cannot run."""

    code: str = Field(description="`GET /errors/{code}` explains it.", examples=["unknown_column"])
    title: str = Field(description="The code in words.", examples=["Unknown column"])
    detail: str = Field(description="What is wrong, and how to fix it.")
    errors: list[ProblemPart] = Field(description="Single problems, where there may be several.")

    @classmethod
    def from_error(cls, error: PlatformError) -> Self:
        """The problem that an error tells of."""
        errors = [
            ProblemPart(loc=[readable(part) for part in entry["loc"]], msg=readable(entry["msg"]))
            for entry in error.errors
        ]
        return cls(code=error.code, title=error.title, detail=readable(error.detail), errors=errors)


class DryRun(ResponseBody):
    """What a training would do, or all that keeps it from running."""

    valid: bool = Field(description="Whether the training would be accepted.")
    request: JobSpec | None = Field(description="The request with every default filled in.")
    limits: JobLimits | None = Field(description="The limits that would hold.")
    recipe: list[ColumnTreatment] | None = Field(
        description="What would be done to which column; of several models, for the first one."
    )
    notes: list[str] = Field(
        description="What the reading of the table found that concerns this training, and that its pool has no worker."
    )
    problems: list[TrainProblem] = Field(description="Everything that keeps it from being accepted.")

    @classmethod
    def rehearsed(
        cls, spec: JobSpec, rehearsal: Rehearsal, *, limits: RunLimits, beyond: Iterable[PlatformError]
    ) -> Self:
        """The outcome of a rehearsal; `beyond` is what the request allows itself beyond the platform's limits."""
        recipe = None
        if rehearsal.treatments is not None:
            recipe = [ColumnTreatment.model_validate(treatment) for treatment in rehearsal.treatments]
        problems = [TrainProblem.from_error(error) for error in [*rehearsal.problems, *beyond]]
        return cls(
            valid=not problems,
            request=spec,
            limits=JobLimits.model_validate(limits),
            recipe=recipe,
            notes=list(rehearsal.notes),
            problems=problems,
        )

    @classmethod
    def refused(cls, errors: Iterable[PlatformError]) -> Self:
        """A request that does not even name a table."""
        problems = [TrainProblem.from_error(error) for error in errors]
        return cls(valid=False, request=None, limits=None, recipe=None, notes=[], problems=problems)
