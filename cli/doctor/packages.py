"""Own packages of estimators: whether workers could use the classes that are named on this machine."""

from cli.client.errors import Unreachable
from cli.doctor.examination import CheckResult, note, ok
from cli.doctor.installation import database_here
from shared.errors import PlatformError
from shared.estimators.own.declared import declared
from shared.estimators.own.rows import problems_found
from shared.settings import Settings

_PART = "Own packages"


def check_own_packages(settings: Settings) -> CheckResult:
    """What workers found in the classes of entry points and of MLMINI_ESTIMATORS; here, none is imported."""
    classes = declared(settings.estimators)
    if not classes:
        return ok(_PART, "none is named")
    names = ", ".join(each.path for each in classes)
    try:
        with database_here(settings, to="look up") as database, database.read() as session:
            found = problems_found(session, classes)
    except (PlatformError, Unreachable):
        return note(_PART, names, "No worker has looked at them yet: they do so when they start.")
    broken = [f"{path}: {problem}" for path, problem in found.items() if problem is not None]
    if broken:
        return note(_PART, "; ".join(broken), "Repair the package, and start the workers again.")
    missing = [each.path for each in classes if each.path not in found]
    if missing:
        hint = f"No worker has looked at {', '.join(missing)}: they do so when they start."
        return note(_PART, names, hint)
    return ok(_PART, names)
