"""The search for lines that no test notices, on a project of a few lines."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.support.mutants.choice import Choice
from tests.support.mutants.judged import judged
from tests.support.mutants.making import mutants_of
from tests.support.mutants.reach import Reach
from tests.support.mutants.sample import draw
from tests.support.waiting import eventually

# The search counts lines itself.
pytestmark = pytest.mark.usefixtures("uncounted")

ROOT = Path(__file__).parents[2]

CHANGES = {
    "a < b": {"a <= b"},
    "a is not None": {"a is None"},
    "a + b * 2": {"a - b * 2", "a + b / 2", "a + b * 3"},
    "a and b": {"a or b", "a", "b"},
    "not a": {"a"},
    "b if a else c": {"b if True else c", "b if False else c"},
    "[a for a in b if c]": {"[a for a in b if True]"},
    "True": {"False"},
    "'median'": {'"XmedianX"'},
    "'a sentence for people'": set(),
    "f'{a} < {1}'": set(),
    "min(a)": {"max(a)"},
    "a(b, deadline=c)": {"a(b)"},
    "select(a).where(b, c)": {"select(a).where(b)", "select(a).where(c)", "select(a)"},
    "a in {b, c}": {"a not in {b, c}", "a in {b}", "a in {c}"},
}
STATEMENTS = {
    "def a():\n    b()": {"def a():\n    pass"},
    "def a():\n    return b": {"def a():\n    return None"},
    "a.b = c": {"pass"},
    "a += b": {"a -= b", "pass"},
    "if a:\n    raise B('one')": {"if True:\n    raise B('one')", "if False:\n    raise B('one')", "if a:\n    pass"},
    "try:\n    pass\nexcept (A, B):\n    pass": {
        "try:\n    pass\nexcept (A):\n    pass",
        "try:\n    pass\nexcept (B):\n    pass",
    },
    "'''A docstring.'''": set(),
    "import a as b": set(),
    "a: Literal['b'] = c": set(),
    "log.info('done', rows=3)": set(),
    "fail_point('put.before')": set(),
    "a: int = field(description='b')": set(),
    "a = column(String(16), ForeignKey('b.c', ondelete='CASCADE'), index=True)": set(),
    "raise A('one ' + b, status=3)": {"pass", "raise A('one ' + b, status=4)"},
    "@cache\ndef a(*, b: int = 1): ...": {"@cache\ndef a(*, b: int = 2): ..."},
}


@pytest.mark.parametrize(("text", "expected"), CHANGES.items(), ids=CHANGES)
def test_an_expression_is_broken_in_these_ways(text: str, expected: set[str]) -> None:
    before = f"x = {text}"
    assert made(before) == {f"x = {after}" for after in expected}


@pytest.mark.parametrize(("text", "expected"), STATEMENTS.items(), ids=STATEMENTS)
def test_a_statement_is_broken_in_these_ways(text: str, expected: set[str]) -> None:
    assert made(text) == expected


def made(text: str) -> set[str]:
    return {mutant.text for mutant in mutants_of("a.py", text) if mutant.is_other_program()}


def test_a_mutant_has_the_same_name_after_lines_were_added_above() -> None:
    (before,) = mutants_of("a.py", "class A:\n    def b(self):\n        return self.c")
    (after,) = mutants_of("a.py", "import d\n\n\nclass A:\n    def b(self):\n        return self.c")
    assert before.name == after.name == ("a.py::A.b", "return self.c", "return None")
    assert (before.line, after.line) == (3, 6)


def test_a_mutant_meets_one_test_of_each_function_and_then_the_quickest(tmp_path: Path) -> None:
    few, slow, many = (["few[0]"], ["slow[0]", "slow[1]"], [f"many[{number}]" for number in range(10)])
    seconds = dict.fromkeys(few, 1.0) | dict.fromkeys(slow, 4.0) | dict.fromkeys(many, 0.25)
    (mutant,) = mutants_of("a.py", "def a():\n    return b")
    choice = Choice(tmp_path, [Reach("test_a.py", seconds, {"a.py": {2: list(seconds)}})])
    first, more = choice.rounds(mutant)
    assert sorted(first.tests) == sorted(["few[0]", "slow[0]", *many])
    assert more.tests == ["slow[1]"]


TOY = {
    "shared/toy.py": """
def larger(a, b):
    return a if a > b else b


def half(number):
    return number / 2


def unseen(number):
    return number + number
""",
    "shared/other.py": """
import sys

sys.exit(3 + int(sys.argv[1]))
""",
    "tests/test_toy.py": """
import subprocess
import sys

from shared.toy import half, larger


def test_the_larger():
    assert larger(1, 2) == larger(2, 1) == 2


def test_half():
    assert half(4) == 2


def test_another_process(tmp_path):
    assert subprocess.run([sys.executable, "-m", "shared.other", "4"], cwd=tmp_path).returncode == 7
""",
}
JUDGED = """
[[equivalent]]
function = "shared/toy.py::larger"
before = "return a if a > b else b"
after = "return a if a >= b else b"
reason = "Of equal numbers each is the larger."
"""
WAITING = {
    "shared/toy.py": "def ready():\n    return True\n",
    "tests/test_toy.py": """
import os
import pathlib
import signal

from shared.toy import ready


def test_it_is_ready():
    if not ready():
        draft = pathlib.Path("draft")
        draft.write_text(f"{os.getpid()} {os.getcwd()}")
        draft.rename(os.environ["SEEN"])
        signal.pause()
""",
}


def project(folder: Path, files: dict[str, str], judged: str = "") -> Path:
    """A project that git knows, with the list of its equivalent mutants."""
    for name, text in {**files, "judged.toml": judged, "pyproject.toml": ""}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / ".gitignore").write_text(".mutants\n__pycache__\n")
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    return folder


@contextmanager
def searching(folder: Path, *, least_seconds: float = 60) -> Iterator[subprocess.Popen[str]]:
    """The search, without the large libraries that no test of these projects needs."""
    program = (
        "from tests.support.mutants import __main__, child, trial; "
        f"child.LARGE = (); trial.LEAST_SECONDS = {least_seconds}; __main__.main()"
    )
    options = ["--project", str(folder), "--judged", str(folder / "judged.toml"), "--seed", "1", "--count", "100"]
    process = subprocess.Popen(
        [sys.executable, "-c", program, "shared", "--tests", "tests", *options],
        cwd=ROOT,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "SEEN": str(folder.with_name("seen"))}
        | {"TMPDIR": str(folder.parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def said(folder: Path, *, least_seconds: float = 60) -> str:
    with searching(folder, least_seconds=least_seconds) as process:
        return process.communicate(timeout=150)[0]


def row(output: str, name: str) -> list[int]:
    """The numbers of a row: made, killed, survived, timed out, unreached, judged equivalent."""
    (found,) = (line for line in output.splitlines() if line.startswith(f"{name} "))
    return [int(cell) for cell in found.split()[1:]]


def test_mutants_are_killed_or_listed_and_not_tried_again(tmp_path: Path) -> None:
    toy = project(tmp_path / "toy", TOY)
    output = said(toy)
    # Three of the five ways to break a comparison are noticed, and so is what only another process runs.
    assert row(output, "shared") == row(output, "total")
    made, killed, survived, timed_out, unreached, equivalent = row(output, "total")
    assert (survived, timed_out, unreached, equivalent) == (1, 0, 2, 0), output
    assert killed == made - 3 > 6
    assert "shared/toy.py:3 survived" in output
    assert "-    return a if a > b else b\n+    return a if a >= b else b" in output
    assert "shared/toy.py:11 unreached" in output
    assert "seed 1\n" in output

    book = (toy / ".mutants" / "trials.jsonl").read_text()
    (toy / "judged.toml").write_text(JUDGED)
    again = said(toy)
    assert row(again, "total") == [made - 1, killed, 0, 0, 2, 1]
    assert (toy / ".mutants" / "trials.jsonl").read_text() == book


def test_a_mutant_that_waits_for_ever_is_ended(tmp_path: Path) -> None:
    output = said(project(tmp_path / "toy", WAITING), least_seconds=5)
    assert row(output, "total") == [1, 0, 0, 1, 0, 0]
    assert "No mutant survived." in output


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=lambda how: how.name)
def test_the_work_tree_stays_as_it_was_when_the_search_is_ended(tmp_path: Path, how: signal.Signals) -> None:
    toy = project(tmp_path / "toy", WAITING)
    before = files_of(toy)
    with searching(toy) as process:
        eventually((tmp_path / "seen").exists, timeout=100, what="a test meets the mutant")
        pid, folder = (tmp_path / "seen").read_text().split()
        assert files_of(toy) == before
        assert "return False" in Path(folder, "shared/toy.py").read_text()
        process.send_signal(how)
        process.wait(timeout=30)
    assert files_of(toy) == before
    eventually(lambda: not psutil.pid_exists(int(pid)), timeout=30, what="the test is gone")
    assert Path(folder).exists() is (how is signal.SIGKILL)


def files_of(folder: Path) -> dict[str, str]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.splitlines()
    return {name: (folder / name).read_text() for name in names}


def test_a_sample_is_the_same_for_the_same_seed_and_takes_as_many_from_each_path(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "c.py").write_text("".join(f"d{number} = {number}\n" for number in range(2, 40)))

    def drawn(seed: int) -> list[tuple[str, int]]:
        return [
            (path, mutant.line) for path, mutant in draw(tmp_path, ["a", "b"], count=10, seed=seed, known={}).mutants
        ]

    assert drawn(1) == drawn(1) != drawn(2)
    assert [path for path, _ in drawn(1)] == ["a", "b"] * 5


def test_every_judgement_has_a_reason(tmp_path: Path) -> None:
    assert all(each.reason for each in judged().values())
    path = tmp_path / "judged.toml"
    path.write_text(JUDGED.replace("Of equal numbers each is the larger.", " "))
    with pytest.raises(ValueError, match="say why"):
        judged(path)
