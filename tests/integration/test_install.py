"""`requirements/install.py`, which `make run` and `make test` begin with. Nothing is downloaded here."""

import os
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
# Keeps pip from asking anybody.
OFFLINE = "import os; os.environ['PIP_NO_INDEX'] = '1'"
# An environment is soon made without pip, at which the installation then ends.
WITHOUT_PIP = """
import subprocess
run = subprocess.run
subprocess.run = lambda command, **how: run([*command, *["--without-pip"] * ("venv" in command)], **how)
"""
LOCK = "# nothing is needed\n"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A checkout with an empty lock and nothing to build."""
    (tmp_path / "requirements").mkdir()
    shutil.copy(ROOT / "requirements" / "install.py", tmp_path / "requirements")
    for kind in ("uv", "run", "optuna", "boosting", "dask", "dev"):
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
install.STAMP.write_text(install._wanted({kind!r}))
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_an_old_python_is_named_with_a_hint(copy: Path) -> None:
    done = install(copy, first=OLD)
    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr
    assert "is 3.9" in done.stderr
    assert "make run PYTHON=" in done.stderr
    assert not (copy / ".venv").exists()


def test_a_python_without_venv_is_named_with_a_hint(copy: Path) -> None:
    done = install(copy, first=BARE)
    assert done.returncode == 1
    assert "comes without ensurepip" in done.stderr
    assert "sudo apt install python3-venv" in done.stderr
    assert not (copy / ".venv").exists()


def test_nothing_is_done_when_nothing_has_changed(copy: Path) -> None:
    make_fresh(copy, "run")
    done = install(copy)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_an_environment_for_development_serves_the_platform_too(copy: Path) -> None:
    make_fresh(copy, "dev")
    done = install(copy, "run")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("change", ["run", "uv", "project", "other kind"])
def test_a_change_is_installed_into_the_same_environment(copy: Path, change: str) -> None:
    make_fresh(copy, "run")
    if change in {"run", "uv"}:
        (copy / "requirements" / f"{change}.txt").write_text("# other\n")
    if change == "project":
        (copy / "pyproject.toml").write_text("[project]\nname = 'other'\nversion = '1'\n")
    kind = "dev" if change == "other kind" else "run"
    done = install(copy, kind)
    # This environment has no pip, so the installation ends where it begins.
    assert done.returncode == 1
    assert done.stdout == f"Installing from requirements/{kind}.txt ...\n"
    assert "the installation did not work out" in done.stderr


def test_an_environment_for_development_stays_one_when_its_lock_changes(copy: Path) -> None:
    make_fresh(copy, "dev")
    (copy / "requirements" / "dev.txt").write_text("# other\n")
    assert install(copy, "run").stdout == "Installing from requirements/dev.txt ...\n"


@pytest.mark.parametrize(("asked", "kept"), [("run", "boosting"), ("optuna", "boosting"), ("dev", "dev")])
def test_an_environment_with_more_libraries_keeps_them(copy: Path, asked: str, kept: str) -> None:
    make_fresh(copy, "boosting")
    (copy / "pyproject.toml").write_text("[project]\nname = 'nothing'\nversion = '2'\n")
    assert install(copy, asked).stdout == f"Installing from requirements/{kept}.txt ...\n"


def test_an_installation_that_was_broken_off_is_begun_again(copy: Path) -> None:
    make_fresh(copy, "run")
    (copy / "requirements" / "run.txt").write_text("# other\n")
    install(copy)
    (copy / "requirements" / "run.txt").write_text(LOCK)
    assert install(copy).stdout == "Installing from requirements/run.txt ...\n"


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({}, ""),
        ({"PIP_INDEX_URL": "https://mirror.example/simple"}, "https://mirror.example/simple"),
        ({"PIP_INDEX_URL": "https://a.example", "UV_DEFAULT_INDEX": "https://b.example"}, "https://b.example"),
        ({"PIP_CONFIG_FILE": "pip.conf"}, "https://company.example/simple"),
    ],
    ids=["none", "variable of pip", "variable of uv", "file of pip"],
)
def test_uv_asks_the_index_that_pip_was_told_to_ask(copy: Path, variables: dict[str, str], told: str) -> None:
    (copy / "pip.conf").write_text("[global]\nindex-url = https://company.example/simple\n")
    program = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(copy / "requirements")!r})
import install
install.PYTHON = Path(sys.executable)
print(install._mirror())
"""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))}
    command = [sys.executable, "-I", "-c", program]
    own = kept | {"PIP_CONFIG_FILE": os.devnull} | variables
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=own, cwd=copy)
    assert done.stdout.strip() == told


@pytest.mark.parametrize(("change", "first"), [("moved", OFFLINE), ("broken", WITHOUT_PIP)], ids=["moved", "broken"])
def test_an_environment_that_does_not_fit_is_made_anew(copy: Path, tmp_path: Path, change: str, first: str) -> None:
    make_fresh(copy, "run")
    if change == "moved":
        copy = copy.rename(tmp_path.with_name(f"{tmp_path.name}-moved"))
    else:
        (copy / ".venv" / "bin" / "python").unlink()
    done = install(copy, first=first)
    assert done.stdout.startswith("Creating .venv ...\nInstalling from requirements/run.txt")
    assert (copy / ".venv" / "bin" / "python").exists()
