"""Every command that a document shows is run, or is seen to by the tests that `RUNNERS` names."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commands import SECONDS, Failed, run_blocks
from tests.support.documented import DOCUMENTS, ROOT, Block, commands_for, name_of
from tests.support.launcher import Launcher, launched
from tests.support.processes import finish

# Its platform has a model in it, and what it restores is started: see test_operations.py.
OPERATIONS = ROOT / "docs" / "operations.md"
# Without plugins that no looking needs, and that take longer to import than it does.
LOOKED_FOR = "--collect-only -p no:schemathesis -p no:celery -p no:docker_tools"
WALKED = [document for document in DOCUMENTS if document != OPERATIONS and commands_for("", document)]

pytestmark = [
    pytest.mark.usefixtures("uncounted"),
    pytest.mark.skipif(not (shutil.which("bash") and shutil.which("curl")), reason="the commands need bash and curl"),
    # A walk is many commands, each a process of its own.
    pytest.mark.timeout(SECONDS + 60),
]


def address(launcher: Launcher) -> str:
    return launcher.url("Readiness").removesuffix("/readyz")


def train_something(launcher: Launcher) -> None:
    """A reader has done other things before, so that the first version is not that of the document."""
    model = {"module": "tree", "class": "DecisionTreeClassifier"}
    with launcher.client() as client:
        request = {"dataset_name": "iris", "use_example": True, "model": model}
        job = client.post("/train", json=request, timeout=30).json()
        ended = client.get(job["links"]["self"], params={"wait": 60}, timeout=90).json()
    assert ended["status"] == "succeeded", ended


@pytest.mark.parametrize(
    "document",
    # All are read by the same program; what stands in README is what most people try.
    [pytest.param(each, marks=[] if each.name == "README.md" else pytest.mark.thorough) for each in WALKED],
    ids=map(name_of, WALKED),
)
def test_the_commands_of_a_document_work_one_after_the_other(tmp_path: Path, document: Path) -> None:
    with launched(tmp_path / "home") as launcher:
        train_something(launcher)
        folder = tmp_path / "folder"
        folder.mkdir()
        run_blocks(commands_for("", document), folder=folder, url=address(launcher), home=launcher.home)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout, in which a reader runs one block of commands after the other."""
    target = tmp_path_factory.mktemp("copy") / "checkout"
    copy_checkout(target)
    return target


@pytest.mark.parametrize("block", commands_for("checkout"), ids=lambda block: block.place)
def test_the_commands_for_a_checkout_work_in_one(checkout: Path, tmp_path: Path, block: Block) -> None:
    # Tests that a command names are looked for here, and run elsewhere.
    run_blocks([block], folder=tmp_path, cwd=checkout, variables={"PYTEST_ADDOPTS": LOOKED_FOR})


@pytest.mark.parametrize("block", commands_for("bench"), ids=lambda block: block.place)
def test_the_documented_benchmarks_are_there(block: Block) -> None:
    for command in block.commands:
        python, *words = command.split()
        assert python == ".venv/bin/python"
        assert words.pop(0) == "-m"
        ended = finish([*words, "--help"], env=dict(os.environ), cwd=ROOT)
        assert ended.returncode == 0, ended.stderr


FAULTY = {
    "a command that fails": "false\ntrue",
    "a command that fails before a pipe": "false | cat",
    "an unknown variable": "echo $NOTHING_OF_THAT_NAME",
    "an error of the API": "curl -s http://127.0.0.1:8000/datasets/none",
    "an error of the API before a pipe": "curl -s http://127.0.0.1:8000/datasets/none | cat",
    "an error of the API in a variable": "A=$(curl -s http://127.0.0.1:8000/datasets/none)",
    "an error of the API that is swallowed": "curl -s http://127.0.0.1:8000/datasets/none || true",
    "a failed job": """echo '{"job_id":"1","status":"failed"}'""",
    "a fault of a program": "python3 -c 'raise ValueError' || true",
}


def test_a_faulty_command_is_found(tmp_path: Path) -> None:
    with launched(tmp_path / "home") as launcher:
        missed = [
            fault for fault, commands in FAULTY.items() if not fails(commands, tmp_path / fault, address(launcher))
        ]
    assert missed == []


def fails(commands: str, folder: Path, url: str) -> bool:
    folder.mkdir()
    try:
        run_blocks([Block(ROOT / "README.md", 1, "sh", "", f"{commands}\n")], folder=folder, url=url)
    except Failed:
        return True
    return False


def copy_checkout(target: Path) -> None:
    """A copy of everything that would be committed, with the same environment: commands may write there.

    What is compiled of it comes along: as in a checkout that was used before, nothing is compiled again.
    """
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode:
        pytest.skip("not a checkout")
    for name in filter(None, listing.stdout.split("\0")):
        path = ROOT / name
        if path.is_file():
            for part in (path, *path.parent.glob(f"__*__/{path.stem}.*")):
                copy = target / part.relative_to(ROOT)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(part, copy)
    (target / ".venv").symlink_to(Path(sys.executable).parent.parent)
