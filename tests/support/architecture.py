"""Reads the source of the project as a graph of modules and says where it breaks the rules of its architecture.

Who may import whom is not among these: import-linter has that from pyproject.toml.
"""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

PACKAGES = ("api", "worker", "cli", "shared", "migrations")

# Libraries that have one place, and the modules and packages that are it.
PLACES = {
    "fastapi": ("api",),
    "starlette": ("api",),
    "celery": ("shared.queue", "worker"),
    "kombu": ("shared.queue", "worker"),
    "httpx2": ("cli.client", "shared.accounts.oidc"),
    "joserfc": ("shared.accounts.oidc",),
    "typer": ("cli",),
    "rich": ("cli",),
    "boto3": ("shared.object_store.s3",),
    "botocore": ("shared.object_store.s3",),
    "pickle": ("shared.registry.artifact",),
    "cloudpickle": ("shared.registry.artifact",),
    "dill": ("shared.registry.artifact",),
    "shelve": ("shared.registry.artifact",),
    "joblib.load": ("shared.registry.artifact",),
    "joblib.dump": ("shared.registry.artifact",),
}
UNPICKLING_CALLS = {"read_pickle", "to_pickle"}

# An import inside a function is for what is heavy: one of these libraries, or a project module whose own imports
# reach one of them. Everything else is imported at the top of its file. The settings take longer than a short answer of
# the command line.
HEAVY = {"numpy", "numba", "scipy", "sklearn", "pandas", "pyarrow", "joblib", "boto3", "botocore", "pydantic_settings"}
# What only those need who log in through an identity provider.
HEAVY |= {"httpx2", "joserfc"}
# What an extra brings may be missing, so it is looked for where it is used.
OPTIONAL = {"python_calamine", "grpc", "google", "optuna", "xgboost", "distributed"}
# The one exception: these say what each verb of the command line takes, and import what does its work when it runs.
# Drawing tables and speaking HTTP takes longer to import than `--help` may take.
SAY_ONLY = ("cli.app", "cli.commands")
# The processes that start without some of them, and which.
LIGHT = {
    "api.app": {"numba", "scipy", "sklearn", "pandas", "pyarrow", "grpc", "google", "httpx2", "joserfc"},
    "api.standalone.__main__": {"numba", "scipy", "sklearn", "pandas", "pyarrow"},
    "worker.process": {"numba", "scipy", "sklearn", "pandas", "pyarrow"},
    "cli.app": {
        *("alembic", "boto3", "celery", "fastapi", "httpx2", "joblib", "numba", "numpy", "pandas", "pyarrow"),
        *("pydantic", "pydantic_settings", "redis", "rich", "scipy", "sklearn", "sqlalchemy", "structlog", "uvicorn"),
    },
}

# Words that mean nothing without the code around them.
BARE = {"at", "by", "for", "from", "in", "is", "its", "me", "mine", "of", "on", "own", "ours", "to", "with"}

FILE_LINES = 250
FUNCTION_LINES = 40
# Migrations are records of what was done, not code that anybody changes.
WITHOUT_BUDGET = "migrations.versions."


@dataclass(frozen=True)
class Import:
    """One imported name, in full: `shared.clock.Now` for `from shared.clock import Now`."""

    name: str
    line: int
    lazy: bool

    @property
    def root(self) -> str:
        """The distribution's top-level package."""
        return self.name.partition(".")[0]


@dataclass(frozen=True)
class Module:
    """One file of the project."""

    name: str
    path: Path
    source: str

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed source."""
        return ast.parse(self.source)

    @cached_property
    def imports(self) -> list[Import]:
        """All imports but those for type checkers only."""
        package = self.name if self.path.name == "__init__.py" else self.name.rpartition(".")[0]
        return list(_imports(self.tree, package=package, lazy=False))


class Project:
    """All modules below a folder that holds the project's packages."""

    def __init__(self, root: Path) -> None:
        self.modules: dict[str, Module] = {}
        for package in PACKAGES:
            for path in sorted((root / package).rglob("*.py")):
                parts = path.relative_to(root).with_suffix("").parts
                name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
                self.modules[name] = Module(name, path, path.read_text())

    def module_of(self, imported: Import) -> str | None:
        """The project's module that an import names; None for libraries."""
        name = imported.name
        while name and name not in self.modules:
            name = name.rpartition(".")[0]
        return name or None

    def libraries_at_start(self, name: str) -> set[str]:
        """The top-level packages of all libraries that importing a module imports in turn."""
        found: set[str] = set()
        seen: set[str] = set()
        waiting = [name]
        while waiting:
            module = waiting.pop()
            if module in seen or module not in self.modules:
                continue
            seen.add(module)
            waiting.append(module.rpartition(".")[0])
            for imported in self.modules[module].imports:
                target = self.module_of(imported)
                if imported.lazy:
                    continue
                if target is None:
                    found.add(imported.root)
                else:
                    waiting.append(target)
        return found


def misplaced_libraries(project: Project) -> Iterator[str]:
    """Imports of a library outside its one place, and other ways to read a pickle."""
    for module in project.modules.values():
        for imported in module.imports:
            for library, places in PLACES.items():
                if _is_in(imported.name, library) and not any(_is_in(module.name, place) for place in places):
                    yield f"{module.path}:{imported.line}: {library} belongs in {' and '.join(places)} only"
        if not any(_is_in(module.name, place) for place in PLACES["pickle"]):
            for line in _unpickling(module.tree):
                yield f"{module.path}:{line}: pickles are read and written in {PLACES['pickle'][0]} only"


def needless_lazy_imports(project: Project) -> Iterator[str]:
    """Imports inside functions of things that are not heavy."""
    for module in project.modules.values():
        if any(_is_in(module.name, place) for place in SAY_ONLY):
            continue
        for imported in filter(lambda each: each.lazy, module.imports):
            target = project.module_of(imported)
            heavy = {imported.root} if target is None else project.libraries_at_start(target)
            if not heavy & (HEAVY | OPTIONAL):
                yield f"{module.path}:{imported.line}: import {imported.name} at the top, it is not heavy"


def heavy_starts(project: Project) -> Iterator[str]:
    """Processes that import at their start what they must start without."""
    for name, without in LIGHT.items():
        for library in sorted(project.libraries_at_start(name) & without):
            yield f"{name} imports {library} at its start"


def import_cycles(project: Project) -> Iterator[str]:
    """Modules that import each other, also when an import hides inside a function."""
    graph: dict[str, set[str]] = {name: set() for name in project.modules}
    for module, _, target in _project_imports(project):
        # A package and its own modules always know each other; what counts is what the modules import.
        if target != module.name:
            graph[module.name].add(target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        yield " <- ".join(error.args[1])


def over_budget(project: Project) -> Iterator[str]:
    """Files and functions that have grown too long."""
    for module in project.modules.values():
        if module.name.startswith(WITHOUT_BUDGET):
            continue
        lines = len(module.source.splitlines())
        if lines > FILE_LINES:
            yield f"{module.path}: {lines} lines, {FILE_LINES} are the limit"
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES:
                    yield f"{module.path}:{node.lineno}: {node.name} has {lines} lines, {FUNCTION_LINES} are the limit"


def doubled_classes(project: Project) -> Iterator[str]:
    """Classes of one name in two places: whoever searches for one finds the other."""
    found: dict[str, list[str]] = {}
    for module in project.modules.values():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef):
                found.setdefault(node.name, []).append(f"{module.path}:{node.lineno}")
    for name, places in found.items():
        if len(places) > 1:
            yield f"{name} is the name of {len(places)} classes: {', '.join(places)}"


def bare_names(project: Project) -> Iterator[str]:
    """Functions that are named by a preposition, a pronoun or `is` alone."""
    for module in project.modules.values():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.strip("_") in BARE:
                yield f"{module.path}:{node.lineno}: {node.name} does not say what it is"


Rule = Callable[[Project], Iterator[str]]
RULES: tuple[Rule, ...] = (
    misplaced_libraries,
    needless_lazy_imports,
    heavy_starts,
    import_cycles,
    over_budget,
    doubled_classes,
    bare_names,
)


def _project_imports(project: Project) -> Iterator[tuple[Module, Import, str]]:
    for module in project.modules.values():
        for imported in module.imports:
            target = project.module_of(imported)
            if target is not None:
                yield module, imported, target


def _is_in(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def _imports(node: ast.AST, *, package: str, lazy: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name, child.lineno, lazy)
        elif isinstance(child, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - child.level + 1] if child.level else []
            source = ".".join([*parents, *([child.module] if child.module else [])])
            for alias in child.names:
                yield Import(f"{source}.{alias.name}", child.lineno, lazy)
        elif isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            yield from _imports(ast.Module(body=child.orelse, type_ignores=[]), package=package, lazy=lazy)
        else:
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            yield from _imports(child, package=package, lazy=lazy or inside)


def _unpickling(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            of_joblib = isinstance(node.value, ast.Name) and node.value.id == "joblib" and node.attr in {"load", "dump"}
            if of_joblib or node.attr in UNPICKLING_CALLS:
                yield node.lineno
        elif isinstance(node, ast.keyword) and node.arg == "allow_pickle" and ast.unparse(node.value) != "False":
            yield node.value.lineno
