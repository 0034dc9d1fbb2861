"""What supervisor and computing process of a job tell each other, as files in the attempt's folder."""

from pydantic import BaseModel

from shared.compiled.compilation import Compilation
from shared.estimators.signature import Signature
from shared.prediction.batch_spec import BatchSpec
from shared.tables.columns import Column
from shared.tables.findings import Finding
from shared.tables.reading import Reading
from shared.training.facts import ModelFacts
from shared.training.spec import TrainingSpec

WORK_FILE = "work.json"
BATCH_FILE = "batch.json"
COMPILE_FILE = "compile.json"
TABLE_FILE = "table"
PROGRESS_FILE = "progress.json"
# Lines for the job's log. What the process prints is not in it; the worker keeps that.
LINES_FILE = "job.log"
OUTCOME_FILE = "outcome.json"
MODEL_FILE = "model.pkl"
OUTPUT_FILE = "output"
# The compiled form; it is there if the facts say so.
FORM_FILE = "form.npz"


class Work(BaseModel):
    """One training, as the supervisor hands it over."""

    spec: TrainingSpec
    reading: Reading
    columns: list[Column]
    findings: list[Finding]
    threads: int


class BatchWork(BaseModel):
    """One batch prediction, as the supervisor hands it over, with the digest of the model that it has verified.

    In the folder is `FORM_FILE`, or `MODEL_FILE` if there is no compiled form.
    """

    spec: BatchSpec
    signature: Signature
    # The class of the estimator.
    estimator: str
    model_sha256: str
    environment: dict[str, str]
    reading: Reading
    columns: list[Column]
    rows: int
    threads: int


class ComputationProblem(BaseModel):
    """Why nothing came of it: the code and the detail of an error of the platform."""

    code: str
    detail: str


class Outcome(BaseModel):
    """What came of a training: what is to be registered about the model in `MODEL_FILE`, or why there is none."""

    facts: ModelFacts | None = None
    problem: ComputationProblem | None = None


class BatchFacts(BaseModel):
    """What is to be told of the output in `OUTPUT_FILE`."""

    rows: int
    errors: int
    warnings: list[str]


class BatchOutcome(BaseModel):
    """What came of a batch prediction, or why there is no output."""

    facts: BatchFacts | None = None
    problem: ComputationProblem | None = None


class CompileWork(BaseModel):
    """A model to compile, as the supervisor hands it over, with the digest that it has verified."""

    version: int
    spec: TrainingSpec
    signature: Signature
    model_sha256: str
    environment: dict[str, str]
    reading: Reading
    columns: list[Column]
    threads: int


class CompileFacts(BaseModel):
    """What came of making the compiled form, and what the one in `FORM_FILE` takes in memory, if there is one."""

    compilation: Compilation
    memory_bytes: int = 0


class CompileOutcome(BaseModel):
    """What came of a compilation, or why nothing did."""

    facts: CompileFacts | None = None
    problem: ComputationProblem | None = None
