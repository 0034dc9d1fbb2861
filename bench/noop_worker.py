"""A worker whose promote jobs do nothing: what is left is the job protocol. `python -m bench.noop_worker`."""

from sqlalchemy.orm import Session

from worker.__main__ import main
from worker.attempt import Attempt, Effect
from worker.tasks import promote


def nothing(attempt: Attempt) -> Effect:
    """The work of a job without work; its effect is the result alone."""
    del attempt

    def add(_session: Session) -> dict[str, object]:
        return {"version": 1, "stage": "staging", "serving_version": 1}

    return add


if __name__ == "__main__":
    promote.run = nothing
    main()
