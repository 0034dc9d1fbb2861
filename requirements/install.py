"""Makes `.venv` what a lock file says: `python3 requirements/install.py run`, or `optuna` and so on: more.

It needs nothing but Python, does nothing when nothing has changed, and works after the folder was moved. pip fetches
uv, pinned by its hash. uv installs what the lock lists and resolves nothing, so neither an old pip nor a later day
changes anything. This file has to start on old versions of Python too, to say that they are too old.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)
# Each has all that follows, and what is needed to run.
RICHEST_FIRST = ("dev", "dask", "boosting", "optuna")
ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "requirements"
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed"


def main() -> None:
    """Install what is missing; exit status 1, and a sentence that says what to do, when that cannot be."""
    kind = sys.argv[1]
    _check_python()
    # `make run` and `make test` may be started together.
    fcntl.flock(os.open(ROOT, os.O_RDONLY), fcntl.LOCK_EX)
    found = STAMP.read_text() if _fits() and STAMP.exists() else ""
    # An environment for development has what the platform needs to run, and stays one; so does one with more libraries.
    for richer in RICHEST_FIRST:
        if found.startswith(f"{richer} ") and RICHEST_FIRST.index(richer) < _place(kind):
            kind = richer
    if found != _wanted(kind):
        _install(kind)


def _place(kind: str) -> int:
    """How many have more than it."""
    return RICHEST_FIRST.index(kind) if kind in RICHEST_FIRST else len(RICHEST_FIRST)


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
    for path in (LOCKS / "uv.txt", LOCKS / f"{kind}.txt", ROOT / "pyproject.toml"):
        digest.update(path.read_bytes())
    return "{} {} {} {}.{}\n".format(kind, digest.hexdigest(), ROOT, *sys.version_info[:2])


def _install(kind: str) -> None:
    if not _fits():
        print("Creating .venv ...", flush=True)
        _run(sys.executable, "-m", "venv", "--clear", str(VENV))
    STAMP.unlink(missing_ok=True)
    print(f"Installing from requirements/{kind}.txt ...", flush=True)
    _run(str(PYTHON), "-m", "pip", "install", "--quiet", "--require-hashes", "--requirement", str(LOCKS / "uv.txt"))
    # Python keeps what it compiles beside the files, at their first use. Where it was told not to, every start would
    # compile everything again.
    compiled = ["--compile-bytecode"] if sys.dont_write_bytecode else []
    _uv("sync", "--require-hashes", *compiled, str(LOCKS / f"{kind}.txt"))
    _uv("install", "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    print("Compiling what serves predictions ...", flush=True)
    # With the project before the libraries on the path, as `-m` has it from here.
    _run(str(PYTHON), "-m", "shared.compiled.kernels.warm", folder=ROOT)
    STAMP.write_text(_wanted(kind))


def _uv(act: str, *arguments: str) -> None:
    # Certificates of a company are known to the system, where pip finds them; uv alone would not look there.
    command = [str(VENV / "bin" / "uv"), "pip", act, "--quiet", "--system-certs", "--python", str(PYTHON)]
    _run(*command, *arguments, more={"UV_DEFAULT_INDEX": mirror} if (mirror := _mirror()) else {})


def _mirror() -> str:
    """The index that pip was told to ask, if any: uv has settings of its own."""
    asked = subprocess.run([str(PYTHON), "-m", "pip", "config", "list"], check=False, capture_output=True, text=True)
    # A variable comes before a file.
    found = re.search(r"^(?::env:|global)\.index-url='(.*)'$", asked.stdout, re.MULTILINE)
    return os.environ.get("UV_DEFAULT_INDEX") or (found[1] if found else "")


def _run(*command: str, more: dict[str, str] | None = None, folder: Path | None = None) -> None:
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", **(more or {})}
    if subprocess.run(command, check=False, env=environment, cwd=folder).returncode:
        _give_up("the installation did not work out; the lines above say why. Once that is fixed, run make again.")


def _give_up(sentence: str) -> None:
    print(f"mlmini: {sentence}", file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    main()
