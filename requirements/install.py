"""Makes `.venv` what a lock file says: `python3 requirements/install.py run` (or `dev`, which is more of the same).

It needs nothing but Python, does nothing when nothing has changed, and works after the folder was moved. It has to
start on old versions of Python too, to say that they are too old.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"


def main() -> None:
    """Install what is missing; exit status 1, and a sentence that says what to do, when that cannot be."""
    kind = sys.argv[1]
    _check_python()
    # `make run` and `make test` may be started together.
    fcntl.flock(os.open(ROOT, os.O_RDONLY), fcntl.LOCK_EX)
    if not _is_fresh(kind):
        _install(kind)


def _check_python() -> None:
    if sys.version_info < OLDEST:
        found = "{}.{}".format(*sys.version_info[:2])
        _give_up(
            f"this needs Python 3.11 or newer, and {sys.executable} is {found}. "
            "Where a newer one has another name, say so: `make run PYTHON=python3.12`."
        )
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing:
        package = "python{}.{}-venv".format(*sys.version_info[:2])
        _give_up(
            f"this Python comes without {' and '.join(missing)}. "
            f"On Debian and Ubuntu: `sudo apt install python3-venv` (or {package}), then try again."
        )


def _is_fresh(kind: str) -> bool:
    stamp = _stamp(kind)
    return stamp.exists() and stamp.read_text() == _wanted(kind) and os.access(PYTHON, os.X_OK)


def _install(kind: str) -> None:
    stamp = _stamp(kind)
    stamp.unlink(missing_ok=True)
    if not _fits():
        print("Creating .venv ...", flush=True)
        _run(sys.executable, "-m", "venv", "--clear", str(VENV))
    print(f"Installing from requirements/{kind}.txt (a few minutes the first time) ...", flush=True)
    _pip("--require-hashes", "--requirement", str(ROOT / "requirements" / f"{kind}.txt"))
    _pip("--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    stamp.write_text(_wanted(kind))


def _fits() -> bool:
    """Whether there is an environment of this Python's version, made for this folder."""
    if not os.access(PYTHON, os.X_OK):
        return False
    lines = (VENV / "pyvenv.cfg").read_text().splitlines()
    made_here = any(line.startswith("command = ") and line.endswith(f" {VENV}") for line in lines)
    version = "version = {}.{}.".format(*sys.version_info[:2])
    return made_here and any(line.startswith(version) for line in lines)


def _wanted(kind: str) -> str:
    """What an up-to-date environment was made from."""
    digest = hashlib.sha256()
    for path in (ROOT / "requirements" / f"{kind}.txt", ROOT / "pyproject.toml"):
        digest.update(path.read_bytes())
    return "{} {} {}.{}\n".format(digest.hexdigest(), ROOT, *sys.version_info[:2])


def _stamp(kind: str) -> Path:
    return VENV / f"{kind}.stamp"


def _pip(*arguments: str) -> None:
    _run(str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments)


def _run(*command: str) -> None:
    if subprocess.run(command, check=False).returncode:
        _give_up("the installation did not work out; the lines above say why. Once that is mended, run make again.")


def _give_up(sentence: str) -> None:
    print(f"mlmini: {sentence}", file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    main()
