"""What ends a start or a run that was not asked to stop."""

# Exit statuses of `cli.launcher.prepare`.
WRONG_SETTINGS = 2
UNAVAILABLE = 3


class StartFailed(Exception):
    """The platform cannot run; the sentence says why and how to put it right."""


class PartEnded(StartFailed):
    """A part ended by itself."""


class StopRequested(Exception):
    """The launcher was asked to stop."""
