"""The fail points of running processes, armed by files."""

from pathlib import Path

from shared.fail_points import POINTS, VARIABLE

# What may be armed at each point. The longer sleep is longer than a lease of the tests.
ACTIONS = (
    "kill9",
    "stop",
    "sleep:1",
    "sleep:5",
    "raise:outage",
    "raise:store",
    "raise:memory",
    "raise:error",
    "enospc",
)


class Arms:
    """A folder in which a file means that a fault is to take place."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    @property
    def environment(self) -> dict[str, str]:
        """The variable by which a process knows every point, action and file."""
        faults = (f"{point}={action}@{self._file(point, action)}" for point in POINTS for action in ACTIONS)
        return {VARIABLE: ";".join(faults)}

    def arm(self, point: str, action: str) -> Path:
        """Let the next process that comes to the point meet the fault; the file is gone once one has."""
        assert point in POINTS, point
        assert action in ACTIONS, action
        file = self._file(point, action)
        file.touch()
        return file

    def disarm(self) -> None:
        """Take back what nobody has met."""
        for file in self._folder.iterdir():
            file.unlink(missing_ok=True)

    def _file(self, point: str, action: str) -> Path:
        return self._folder / f"{point}-{action.replace(':', '-')}"
