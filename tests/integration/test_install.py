"""`requirements/install.py`, which `make run` and `make test` begin with. Nothing is downloaded here."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("uncounted")

ROOT = Path(__file__).parents[2]

# Stands before the script in its own process, to make that Python another one.
OLD = "import sys; sys.version_info = (3, 9, 2, 'final', 0)"
BARE = "import sys; sys.modules['ensurepip'] = None"
LOCK = "# nothing is needed\n"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A checkout with an empty lock and nothing to build."""
    (tmp_path / "requirements").mkdir()
    shutil.copy(ROOT / "requirements" / "install.py", tmp_path / "requirements")
    for kind in ("run", "dev"):
        (tmp_path / "requirements" / f"{kind}.txt").write_text(LOCK)
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'nothing'\nversion = '1'\n")
    return tmp_path


def install(folder: Path, kind: str = "run", *, first: str = "") -> subprocess.CompletedProcess[str]:
    script = folder / "requirements" / "install.py"
    start = f"sys.argv = ['install.py', {kind!r}]; runpy.run_path({str(script)!r}, run_name='__main__')"
    program = f"{first}\nimport runpy, sys\n{start}"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd="/")


def make_fresh(folder: Path, kind: str) -> None:
    """Leave what an installation leaves, without one: the project of the copy cannot be installed offline."""
    program = f"""
import sys
sys.path.insert(0, {str(folder / "requirements")!r})
import install
install._run(sys.executable, "-m", "venv", "--clear", "--without-pip", str(install.VENV))
install._stamp({kind!r}).write_text(install._wanted({kind!r}))
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_an_old_python_is_named_with_the_cure(copy: Path) -> None:
    done = install(copy, first=OLD)
    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr
    assert "is 3.9" in done.stderr
    assert "make run PYTHON=" in done.stderr
    assert not (copy / ".venv").exists()


def test_a_python_without_venv_is_named_with_the_cure(copy: Path) -> None:
    done = install(copy, first=BARE)
    assert done.returncode == 1
    assert "comes without ensurepip" in done.stderr
    assert "sudo apt install python3-venv" in done.stderr
    assert not (copy / ".venv").exists()


def test_nothing_is_done_when_nothing_has_changed(copy: Path) -> None:
    make_fresh(copy, "run")
    done = install(copy)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("change", ["lock", "project", "other kind"])
def test_a_change_is_installed_into_the_same_environment(copy: Path, change: str) -> None:
    make_fresh(copy, "run")
    if change == "lock":
        (copy / "requirements" / "run.txt").write_text("# other\n")
    if change == "project":
        (copy / "pyproject.toml").write_text("[project]\nname = 'other'\nversion = '1'\n")
    done = install(copy, "dev" if change == "other kind" else "run")
    # This environment has no pip, so the installation ends where it begins.
    assert done.returncode == 1
    assert done.stdout.startswith("Installing from requirements/")
    assert "the installation did not work out" in done.stderr


@pytest.mark.parametrize("change", ["moved", "broken"])
def test_an_environment_that_does_not_fit_is_made_anew(copy: Path, tmp_path: Path, change: str) -> None:
    make_fresh(copy, "run")
    if change == "moved":
        copy = copy.rename(tmp_path.with_name(f"{tmp_path.name}-moved"))
    else:
        (copy / ".venv" / "bin" / "python").unlink()
    done = install(copy, first=without_network())
    assert done.stdout.startswith("Creating .venv ...\nInstalling from requirements/run.txt")


def without_network() -> str:
    """Keeps pip from asking anybody."""
    return "import os; os.environ['PIP_NO_INDEX'] = '1'"
