"""What ends a start or a run before anybody asked for it."""

# Exit statuses of `cli.launcher.prepare`.
WRONG_SETTINGS = 2
UNAVAILABLE = 3


class StartFailed(Exception):
    """The platform cannot run; the sentence says why and how to mend it."""


class PartEnded(StartFailed):
    """A part ended by itself."""


class StopRequested(Exception):
    """Somebody asked the launcher to stop."""
