"""What supervisor and computing process of a job tell each other, as files in the attempt's folder."""

from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel

from shared.compiled.compilation import Compilation
from shared.errors import InternalError, error_of_code
from shared.estimators.catalogue import Estimator
from shared.estimators.own.declared import OwnClass
from shared.estimators.signature import Signature
from shared.prediction.batch_spec import BatchSpec
from shared.tables.columns import Column
from shared.tables.findings import Finding
from shared.tables.reading import Reading
from shared.training.cluster.address import ClusterAddress
from shared.training.facts import ModelFacts
from shared.training.spec import TrainingSpec

Facts = TypeVar("Facts")

WORK_FILE = "work.json"
BATCH_FILE = "batch.json"
COMPILE_FILE = "compile.json"
DESCRIBE_FILE = "describe.json"
REPRODUCE_FILE = "reproduce.json"
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
    """The trainings of one job, as the supervisor hands them over."""

    candidates: list[TrainingSpec]
    # Whether they are to be ranked, be it one.
    ranked: bool
    # The estimators of own packages that they are made of.
    own: list[Estimator] = []
    reading: Reading
    columns: list[Column]
    rows: int
    findings: list[Finding]
    threads: int
    # How long the whole job may take, and of how many folds each training is if its request does not say.
    seconds: float
    folds: int
    # Where fits are computed beside this process; None for nowhere.
    cluster: ClusterAddress | None = None


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


class Outcome(BaseModel, Generic[Facts]):
    """What came of a computation: what is to be told of the files that it wrote, or why there are none."""

    facts: Facts | None = None
    problem: ComputationProblem | None = None


def read_facts(folder: Path, outcome: type[Outcome[Facts]]) -> Facts:
    """What the computation in a folder told of its files.

    Raises:
        PlatformError: the problem that it told instead.
        InternalError: when it told neither.
    """
    told = outcome.model_validate_json((folder / OUTCOME_FILE).read_bytes())
    if told.problem is not None:
        raise error_of_code(told.problem.code)(told.problem.detail)
    if told.facts is None:
        raise InternalError
    return told.facts


class FittedCandidate(BaseModel):
    """A model, in the files of its candidate."""

    candidate: int
    facts: ModelFacts


class FailedCandidate(BaseModel):
    """A candidate that gave no model while others did."""

    candidate: int
    estimator: str
    detail: str


class TrainFacts(BaseModel):
    """What came of the candidates of a train job, the best model first."""

    fitted: list[FittedCandidate]
    failed: list[FailedCandidate]


def file_of(candidate: int, name: str) -> str:
    """The file of that kind of one of several candidates, counted from 1."""
    return f"{candidate}-{name}"


class BatchFacts(BaseModel):
    """What is to be told of the output in `OUTPUT_FILE`."""

    rows: int
    errors: int
    warnings: list[str]


class CompileWork(BaseModel):
    """A model to compile, as the supervisor hands it over, with the digest that it has verified."""

    version: int
    spec: TrainingSpec
    own: list[Estimator] = []
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


class DescribeWork(BaseModel):
    """The classes to import."""

    classes: list[OwnClass]


class Described(BaseModel):
    """By the path of the class: what was found, or why nothing was."""

    estimators: dict[str, Estimator] = {}
    problems: dict[str, str] = {}
