"""The rules of the architecture, and that the checker of those rules sees what breaks them."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.architecture import LIGHT, PACKAGES, RULES, Project, Rule

ROOT = Path(__file__).parents[1]

# Traces of the machine on which a file was written, in pieces so that this file is not one of them.
FOREIGN = ("/wo" + "rk/", "/tm" + "p/w/", "hand" + "book")


@pytest.fixture(scope="module")
def project() -> Project:
    return Project(ROOT)


@pytest.mark.asvs("1.5.2")
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_project_keeps_the_rule(project: Project, rule: Rule) -> None:
    assert list(rule(project)) == []


WRONG_DIRECTIONS = {
    "an edge imports the other edge": ("api/planted.py", "from worker import app"),
    "shared imports an edge": ("shared/clock.py", "import api.app"),
    "the foundation imports a noun": ("shared/clock.py", "from shared.jobs import rows"),
    "a noun imports its sibling": ("shared/tables/planted.py", "from shared.jobs import rows"),
    "a lower layer imports a higher one": ("shared/training/planted.py", "import shared.registry.rows"),
    "a relative import goes up": ("shared/jobs/planted.py", "from ..registry import rows"),
    "a noun imports the queue": ("shared/jobs/planted.py", "import shared.queue"),
    "a function imports a higher layer": ("shared/jobs/planted.py", "def a():\n    import shared.registry.rows"),
    "a package without a layer": ("shared/planted.py", ""),
}

PLANTED = {
    "two classes of one name": (
        "doubled_classes",
        {"cli/a.py": "class Answer:\n    a = 1", "api/a.py": "class Answer:\n    a = 1"},
    ),
    "a function that is named mine": ("bare_names", {"api/a.py": "def mine():\n    pass"}),
    "a function that is named _in": ("bare_names", {"api/a.py": "def _in():\n    pass"}),
    "fastapi outside the api": ("misplaced_libraries", {"shared/clock.py": "from fastapi import Request"}),
    "celery in the api": ("misplaced_libraries", {"api/app.py": "import celery.result"}),
    "boto3 beside its file": ("misplaced_libraries", {"shared/object_store/local.py": "import boto3"}),
    "a hidden pickle": ("misplaced_libraries", {"worker/app.py": "try:\n    import pickle\nfinally:\n    a = 1"}),
    "a function of joblib": ("misplaced_libraries", {"worker/app.py": "from joblib import load"}),
    "an attribute of joblib": ("misplaced_libraries", {"worker/app.py": "import joblib\njoblib.dump(1, 'a')"}),
    "a pickle read by pandas": ("misplaced_libraries", {"shared/clock.py": "def a(pd):\n    pd.read_pickle('a')"}),
    "a pickle read by numpy": (
        "misplaced_libraries",
        {"shared/clock.py": "def a(n):\n    n.load('a', allow_pickle=1)"},
    ),
    "a light import in a function": ("needless_lazy_imports", {"shared/clock.py": "def now():\n    import json"}),
    "a lazy import of the command line's work": (
        "needless_lazy_imports",
        {"cli/actions.py": "def a():\n    import rich"},
    ),
    "a verb that imports its work": (
        "heavy_starts",
        {"cli/app.py": "import cli.commands.a", "cli/commands/a.py": "import rich"},
    ),
    "a client outside its place": ("misplaced_libraries", {"cli/actions.py": "import httpx2"}),
    "a light module in a function": ("needless_lazy_imports", {"api/app.py": "def a():\n    import shared.jobs.rows"}),
    "a heavy start": ("heavy_starts", {"api/app.py": "import shared.clock", "shared/clock.py": "import pandas as pd"}),
    "a heavy package": (
        "heavy_starts",
        {"api/app.py": "import shared.jobs.a", "shared/jobs/__init__.py": "import scipy"},
    ),
    "two modules in a circle": (
        "import_cycles",
        {"cli/a.py": "import numpy, cli.b", "cli/b.py": "def b():\n    import cli.a"},
    ),
    "a long file": ("over_budget", {"cli/app.py": "a = 1\n" * 251}),
    "a long function": ("over_budget", {"cli/app.py": "async def a():\n" + "    a = 1\n" * 40}),
}
SURROUNDINGS = ("shared/jobs/rows.py", "shared/registry/rows.py", "shared/queue.py", "worker/app.py", "api/app.py")


def linted(folder: Path) -> subprocess.CompletedProcess[str]:
    """What import-linter says of the packages in a folder."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def copied_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The product as it is, without what is no Python."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copy(ROOT / "pyproject.toml", folder)
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            copy = folder / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
    return folder


def test_imports_go_in_the_right_direction() -> None:
    found = linted(ROOT)
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize(("name", "source"), WRONG_DIRECTIONS.values(), ids=WRONG_DIRECTIONS.keys())
def test_an_import_in_the_wrong_direction_is_found(copied_project: Path, name: str, source: str) -> None:
    path = copied_project / name
    before = path.read_text() if path.exists() else None
    path.write_text(f"{before or ''}\n{source}\n")
    try:
        found = linted(copied_project)
    finally:
        if before is None:
            path.unlink()
        else:
            path.write_text(before)
    assert found.returncode == 1, found.stdout


@pytest.mark.parametrize(("rule", "files"), PLANTED.values(), ids=PLANTED.keys())
def test_a_planted_violation_is_found_by_its_rule_alone(tmp_path: Path, rule: str, files: dict[str, str]) -> None:
    for name in (*SURROUNDINGS, *files):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        for folder in list(path.relative_to(tmp_path).parents)[:-1]:
            (tmp_path / folder / "__init__.py").touch()
        path.write_text(files.get(name, ""))
    planted = Project(tmp_path)
    assert [found.__name__ for found in RULES if list(found(planted))] == [rule]


def test_what_the_rules_allow_is_not_found(tmp_path: Path) -> None:
    allowed = {
        "cli/commands/a.py": "import typer\ndef train():\n    import json\n    import cli.actions",
        "cli/actions.py": "import rich",
        "api/app.py": "import fastapi\ndef serve():\n    import shared.registry.artifact\n    import pandas",
        "shared/registry/artifact.py": "import pickle\nimport joblib\njoblib.load('a')",
        "shared/training/a.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import shared.prediction.a",
        "shared/prediction/a.py": "from shared.registry import artifact\ndef a(n):\n    n.load(allow_pickle=False)",
        "migrations/versions/a.py": "a = 1\n" * 300,
    }
    for name, source in allowed.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(source)
    project = Project(tmp_path)
    assert [line for rule in RULES for line in rule(project)] == []


@pytest.mark.parametrize("module", LIGHT)
def test_a_process_starts_without_the_heavy_libraries(module: str) -> None:
    program = f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert LIGHT[module].isdisjoint(json.loads(answer.stdout))


def test_no_file_speaks_of_the_machine_on_which_it_was_written() -> None:
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode:
        pytest.skip("not a checkout")
    found = []
    for name in filter(None, listing.stdout.split("\0")):
        content = (ROOT / name).read_bytes().decode(errors="replace") if (ROOT / name).is_file() else ""
        found += [f"{name} has {word}" for word in FOREIGN if word.lower() in content.lower()]
    assert found == []


def test_nothing_that_git_shall_ignore_is_among_the_sources() -> None:
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--ignored", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode:
        pytest.skip("not a checkout")
    assert listing.stdout.split() == []
