"""What a connection of a client may take."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ConnectionLimits:
    """How long a client may take to send the headers of a request, how long to take more of an answer, and how many
    clients are served at once.
    """

    header_seconds: float
    answer_seconds: float
    connections: int
