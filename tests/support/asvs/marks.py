"""Which test says that it shows which requirements, as the source has it: nothing is imported."""

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.asvs.requirements import Requirement

ROOT = Path(__file__).parents[3]
MARK = "pytest.mark.asvs"


@dataclass(frozen=True, order=True)
class MarkedTest:
    """A function of a file, with the path from the root of the project."""

    file: str
    name: str

    @property
    def sentence(self) -> str:
        """Its name as people read it."""
        return self.name.removeprefix("test_").replace("_", " ")


Marks = dict[str, list[MarkedTest]]


def marks_below(folder: Path, *, root: Path = ROOT) -> Marks:
    """The marked tests of all files below a folder, by the numbers that they name.

    Raises:
        TypeError: for a mark whose arguments are not numbers in quotes.
    """
    found: Marks = defaultdict(list)
    for path in sorted(folder.rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        if MARK not in text:
            continue
        for function in ast.walk(ast.parse(text)):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                for number in _numbers(function, path):
                    found[number].append(MarkedTest(path.relative_to(root).as_posix(), function.name))
    return {number: sorted(tests) for number, tests in found.items()}


def gaps(requirements: Iterable[Requirement], marks: Marks) -> list[str]:
    """What is wrong with marks and decisions, as sentences: each requirement has the one or the other."""
    known = {requirement.number: requirement for requirement in requirements}
    said = []
    for number, tests in marks.items():
        if number not in known:
            said.append(f"{tests[0].file}: {tests[0].name} is marked with {number}, which no requirement has.")
        elif known[number].decision is not None:
            said.append(f"{number} has tests, such as {tests[0].name}, and the decision {known[number].decision!s}.")
    lonely = (each.number for each in known.values() if each.decision is None and each.number not in marks)
    return [*said, *(f"{number} has neither a test nor a decision." for number in lonely)]


def _numbers(function: ast.FunctionDef | ast.AsyncFunctionDef, path: Path) -> Iterator[str]:
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == MARK:
            for argument in decorator.args:
                if not isinstance(argument, ast.Constant) or not isinstance(argument.value, str):
                    raise TypeError(f"{path}:{argument.lineno}: numbers stand in the mark itself, in quotes")
                yield argument.value
