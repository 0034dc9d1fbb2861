"""What requests are at that are not answered yet, as the metrics tell it."""

from fastapi import FastAPI

from api.parts import Parts


def tell_what_is_under_way(app: FastAPI) -> None:
    """Have the metrics of all processes know what this one is at."""
    # An application that starts has none yet, and one of a single model has others.
    parts = getattr(app.state, "parts", None)
    if isinstance(parts, Parts):
        app.state.metrics.tell(
            overdue=parts.predicting.overdue(),
            waits=parts.jobs_watch.waits(),
            streams=parts.following.streams(),
            apart=parts.access.counts.is_apart,
        )
