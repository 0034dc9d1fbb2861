"""The libraries beside scikit-learn: which are here, in which release, and whether the system has what they need."""

import subprocess
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, files

from cli.doctor.examination import CheckResult, broken, note, ok
from shared.estimators.catalogue import release_of_table
from shared.estimators.libraries.installed import LIBRARIES, installed_releases

_PART = "Libraries"
# In a process of its own, which may end. Imports would load much more, and take seconds.
_LOAD = "import ctypes, sys\nfor path in sys.argv[1:]:\n    ctypes.CDLL(path)"


def check_libraries() -> CheckResult:
    """Which libraries beside scikit-learn can be trained here, and served."""
    found = installed_releases()
    told = ", ".join(f"{LIBRARIES[library].title} {release}" for library, release in found.items())
    for library, release in found.items():
        title, known = LIBRARIES[library].title, release_of_table(library)
        if release.split(".")[:2] != known.split(".")[:2]:
            return note(_PART, told, f"This release knows the parameters of {title} {known}, and trains no other.")
        missing = _missing(library)
        if missing:
            hint = (
                "No job can use it. Install what it names; LightGBM needs the OpenMP of the system (Debian, Ubuntu: "
                "`apt install libgomp1`, macOS: `brew install libomp`)."
            )
            return broken(_PART, f"{told}; {title} cannot be loaded: {missing}", hint)
    return ok(_PART, told or "none beside scikit-learn; `make boosting` installs some")


def _missing(library: str) -> str:
    """Why the compiled parts of a library cannot be loaded, as the system says it; empty where they can."""
    parts = []
    for name in LIBRARIES[library].distributions:
        with suppress(PackageNotFoundError):
            within = [file for file in files(name) or () if file.parts[0] == library]
            parts += [str(file.locate()) for file in within if file.suffix in {".so", ".dylib"}]
    try:
        done = subprocess.run([sys.executable, "-c", _LOAD, *parts], capture_output=True, text=True, check=False)
    except OSError:
        # Of a user who may not start Python nothing is known.
        return ""
    return done.stderr.strip().rpartition("\n")[2] if done.returncode else ""
