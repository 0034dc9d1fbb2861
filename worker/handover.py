"""What supervisor and computing process of a train job tell each other, as files in the attempt's folder."""

from pydantic import BaseModel

from shared.tables.columns import Column
from shared.tables.findings import Finding
from shared.tables.reading import Reading
from shared.training.facts import ModelFacts
from shared.training.spec import TrainingSpec

WORK_FILE = "work.json"
TABLE_FILE = "table"
PROGRESS_FILE = "progress.json"
# Lines for the job's log. What the process prints is not in it; the worker keeps that.
LINES_FILE = "job.log"
OUTCOME_FILE = "outcome.json"
MODEL_FILE = "model.pkl"


class Work(BaseModel):
    """One training, as the supervisor hands it over."""

    spec: TrainingSpec
    reading: Reading
    columns: list[Column]
    findings: list[Finding]
    threads: int


class TrainingProblem(BaseModel):
    """Why there is no model: the code and the detail of an error of the platform."""

    code: str
    detail: str


class Outcome(BaseModel):
    """What came of a training: what is to be registered about the model in `MODEL_FILE`, or why there is none."""

    facts: ModelFacts | None = None
    problem: TrainingProblem | None = None
