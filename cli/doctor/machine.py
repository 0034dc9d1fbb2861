"""What the platform runs on: Python and its packages, the settings, a browser for the tests."""

import platform
import shutil
from contextlib import closing
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from cli.doctor.examination import CheckResult, broken, note, ok
from shared.machine import this_machine
from shared.sandbox import LimitTooLow, Sandbox, address_space_limit
from shared.sandbox.isolation import Isolation, is_read
from shared.settings import PREFIX, Settings

_PLATFORM = "ml-mini-platform"
_PINNED = "scikit-learn"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_TESTS = Path(__file__).parents[2] / "tests"


def check_python() -> CheckResult:
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
        hint = f"This release belongs to {_PINNED} {pinned}: install what is locked, as `make install` does."
        return note("Python", found, hint)
    return ok("Python", found)


def check_settings(settings: Settings) -> CheckResult:
    """The variables that are set, by their names."""
    names = sorted(PREFIX + field.upper() for field in settings.model_fields_set)
    found, cores = ", ".join(names) if names else "all as they are by default", this_machine().cores
    if settings.api_workers > cores:
        hint = (
            f"{PREFIX}API_WORKERS is {settings.api_workers}, more than the {cores} cores here; more take memory only."
        )
        return note("Settings", found, hint)
    return ok("Settings", found)


def check_memory(part: str, entry: str, needed_mb: int, setting: str) -> CheckResult:
    """Whether the system lets a computing process have the memory that a setting promises it.

    Without a limit of the system nothing is started. With one, only a computing process can tell what is left to it.
    """
    limit = address_space_limit()
    if limit is None:
        return ok(part, f"up to the {needed_mb:,} MiB of {setting}")
    with (
        TemporaryDirectory(prefix="mlmini-doctor-") as folder,
        closing(Sandbox(entry, scratch=Path(folder))) as sandbox,
    ):
        try:
            sandbox.start()
        except LimitTooLow as error:
            return broken(part, f"cannot start under {limit:,} MiB of address space", str(error))
        room = sandbox.room_mb
    if room is not None and room < needed_mb:
        hint = f"`ulimit -v` is {limit:,} MiB: raise or remove that limit, or lower {setting}, which is {needed_mb:,}."
        return note(part, f"no more than {room:,} MiB", hint)
    return ok(part, f"up to the {needed_mb:,} MiB of {setting}")


def check_isolation(settings: Settings) -> CheckResult:
    """Whether the kernel keeps what reads tables and computes from everything else."""
    if is_read(settings.home):
        hint = f"Move it: {PREFIX}HOME is below Python or the programs of the system, which all computations read."
        return note("Isolation", f"computing processes can read the home folder, {settings.home}", hint)
    missing = " and ".join(Isolation.possible().missing)
    if missing:
        hint = (
            "What reads tables and fits models has no credentials, but may reach more than it needs. Linux 5.13 or "
            "newer prevents that, as far as a container's profile lets it."
        )
        return note("Isolation", f"computing processes are not kept from {missing}", hint)
    return ok("Isolation", "computing processes reach no network, and no files but their own")


def check_browser() -> CheckResult | None:
    """Whether the test in a browser can run; None where the tests are not installed."""
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
