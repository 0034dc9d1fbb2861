"""What is wrong with a train job, whether it is to fit one model or several."""

from collections.abc import Iterator, Sequence

from shared.errors import InvalidRequest, PlatformError, TaskMismatch
from shared.estimators.parameters import MODEL
from shared.estimators.tree import read_tree
from shared.tables.columns import Column
from shared.tables.findings import Finding
from shared.training.checks.training import problems_of
from shared.training.spec import ContestSpec, JobSpec, TrainingSpec


def problems_of_job(
    spec: JobSpec, *, columns: list[Column], rows: int, findings: Sequence[Finding] = ()
) -> list[PlatformError]:
    """All that is wrong with it, the problems of each of several models at `models` and its place in the list.

    What is the same for several of them is told once, with the first.
    """
    if isinstance(spec, TrainingSpec):
        return problems_of(spec, columns=columns, rows=rows, findings=findings)
    found: dict[tuple[str, bool, int], PlatformError] = {}
    for index, candidate in enumerate(spec.candidates):
        for problem in problems_of(candidate, columns=columns, rows=rows, findings=findings):
            own = any(_is_of_model(error) for error in problem.errors)
            found.setdefault((problem.detail, own, index if own else 0), _placed(problem, index))
    return [*found.values(), *_of_the_list(spec)]


def _is_of_model(error: dict[str, object]) -> bool:
    loc = error.get("loc")
    return isinstance(loc, list | tuple) and tuple(loc[: len(MODEL)]) == MODEL


def _placed(problem: PlatformError, index: int) -> PlatformError:
    for error in problem.errors:
        if _is_of_model(error):
            error["loc"] = ["body", "models", index, *error["loc"][len(MODEL) :]]
    return problem


def _of_the_list(spec: ContestSpec) -> Iterator[PlatformError]:
    tasks = []
    for index, model in enumerate(spec.models):
        first = spec.models.index(model)
        if first < index:
            sentence = f"Model {index + 1} of 'models' is the same as model {first + 1}. Take one of them out."
            yield InvalidRequest(sentence, errors=[{"loc": ["body", "models", index], "msg": sentence}])
        tree, _problems = read_tree(model.module, model.class_, model.params)
        if tree is None:
            continue
        tasks.append(tree.estimator)
        if tree.estimator.task != tasks[0].task:
            sentence = (
                f"{tree.estimator.key} is for {tree.estimator.task} and {tasks[0].key} for {tasks[0].task}, so they "
                "cannot be ranked against each other. Name models of one task in 'models'."
            )
            yield TaskMismatch(sentence, errors=[{"loc": ["body", "models", index], "msg": sentence}])
