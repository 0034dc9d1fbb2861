"""What the platform runs on: Python and its packages, the settings, a browser for the tests."""

import platform
import shutil
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path

from cli.doctor.finding import Finding, broken, note, ok
from shared.settings import PREFIX, Settings

_PLATFORM = "ml-mini-platform"
_PINNED = "scikit-learn"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_TESTS = Path(__file__).parents[2] / "tests"


def check_python() -> Finding:
    """Python, the platform and the library that its models depend on."""
    pinned = next((line for line in requires(_PLATFORM) or [] if line.startswith(f"{_PINNED}==")), "").partition("==")[
        2
    ]
    try:
        installed = version(_PINNED)
    except PackageNotFoundError:
        return broken("Python", f"{_PINNED} is not installed", "Install what the platform needs: `make install`.")
    found = f"Python {platform.python_version()}, platform {version(_PLATFORM)}, {_PINNED} {installed}"
    if pinned not in {"", installed}:
        cure = f"This release belongs to {_PINNED} {pinned}: install what is locked, as `make install` does."
        return note("Python", found, cure)
    return ok("Python", found)


def check_settings(settings: Settings) -> Finding:
    """The variables that are set, by their names."""
    names = sorted(PREFIX + field.upper() for field in settings.model_fields_set)
    return ok("Settings", ", ".join(names) if names else "all as they are by default")


def check_browser() -> Finding | None:
    """Whether the test in a browser can run; nothing where there are no tests."""
    if not _TESTS.is_dir() or find_spec("playwright") is None:
        return None
    found = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if found is None:
        return note(
            "Browser test",
            "no Chromium on the path: `make test` skips the walk through Swagger UI",
            "Only developers of the platform need it (Debian, Ubuntu: `sudo apt install chromium`).",
        )
    return ok("Browser test", found)
