"""All the mutants of a file."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import unified_diff
from functools import cached_property
from pathlib import Path

from tests.support.mutants.edits import KINDS
from tests.support.mutants.noise import inside, is_noise
from tests.support.mutants.source import Edit, Source

_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Place:
    """Where in a file something stands: in which function or class, in which statement."""

    scope: str = ""
    runs_at_import: bool = True
    statement: ast.stmt | None = None

    @property
    def lines(self) -> range:
        """The lines of the statement, without those of the statements in it."""
        if self.statement is None:
            return range(0)
        body = getattr(self.statement, "body", None)
        end = body[0].lineno - 1 if body else self.statement.end_lineno or 0
        return range(self.statement.lineno, max(end, self.statement.lineno) + 1)

    @property
    def name(self) -> str | None:
        """What the statement gives a value or a meaning to."""
        match self.statement:
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                return name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                return name
            case _:
                return None


@dataclass(frozen=True)
class Mutant:
    """A file with one mistake in it."""

    path: str
    place: Place
    source: Source
    edit: Edit

    @property
    def line(self) -> int:
        """The line in which the mistake begins."""
        return self.source.line(self.edit.start)

    @cached_property
    def text(self) -> str:
        """The whole file with the mistake."""
        return self.source.changed(self.edit)

    @property
    def name(self) -> tuple[str, str, str]:
        """The function and the change: the same when other lines of the file come and go."""
        before, after = ([line[1:].strip() for line in self._differences if line[0] == sign] for sign in "-+")
        return f"{self.path}::{self.place.scope or '(module)'}", " ".join(before), " ".join(after)

    def is_other_program(self) -> bool:
        """Whether Python reads it, and as something else than the file without the mistake."""
        try:
            return ast.dump(ast.parse(self.text)) != self.source.meaning
        except (SyntaxError, ValueError):
            return False

    def diff(self) -> str:
        """The change as people read it."""
        return "\n".join(self._differences)

    @cached_property
    def _differences(self) -> list[str]:
        lines = unified_diff(self.source.text.splitlines(), self.text.splitlines(), n=0, lineterm="")
        return [line for line in list(lines)[2:] if not line.startswith("@@")]


def mutants_of(path: str, text: str) -> list[Mutant]:
    """All mutants of a file. Some of them may be no programs."""
    source = Source(text)
    return [Mutant(path, place, source, edit) for place, edit in _edits(source, source.tree, Place())]


def files_below(root: Path, paths: list[str]) -> list[str]:
    """The Python files of folders and files, as they are called below `root`.

    Raises:
        FileNotFoundError: when there are none at one of the places.
    """
    found = set()
    for path in paths:
        files = [root / path] if (root / path).is_file() else list((root / path).rglob("*.py"))
        if not files:
            raise FileNotFoundError(path)
        found |= {str(file.relative_to(root)) for file in files}
    return sorted(found)


def _edits(source: Source, node: ast.AST, place: Place) -> Iterator[tuple[Place, Edit]]:
    if is_noise(node):
        return
    if isinstance(node, ast.stmt):
        place = replace(place, statement=node)
    for kind in KINDS:
        yield from ((place, edit) for edit in kind(source, node))
    within = place
    if isinstance(node, _FUNCTIONS | ast.ClassDef):
        within = replace(place, scope=f"{place.scope}.{node.name}".lstrip("."))
    for child in inside(node):
        later = isinstance(node, _FUNCTIONS) and child in node.body
        yield from _edits(source, child, replace(within, runs_at_import=False) if later else within)
