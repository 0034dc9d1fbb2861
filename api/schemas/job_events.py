"""The events and the log of a job, as OpenAPI shows them."""

from typing import Any

_STREAM = """\
event: status
data: {"job_id":"7c2f1b0e-6f0d-4a53-9d8a-2f9a0f1f1c55","kind":"train","status":"running",…}
id: 2-0

event: log
data: {"at":"2026-01-31T12:00:00.412000Z","text":"attempt 1 started"}
id: 2-1

event: progress
data: {"percent":20,"step":"fitting","estimated":false}
id: 2-1

event: log
data: {"at":"2026-01-31T12:00:01.034000Z","text":"fitting RandomForestClassifier on 819 rows"}
id: 2-2

: ping

event: status
data: {"job_id":"7c2f1b0e-6f0d-4a53-9d8a-2f9a0f1f1c55","kind":"train","status":"succeeded",…}
id: 3-2

"""
_TEXT = """\
2026-01-31T12:00:00.412Z attempt 1 started
2026-01-31T12:00:00.698Z read 1,024 rows × 9 columns
2026-01-31T12:00:01.034Z fitting RandomForestClassifier on 819 rows
2026-01-31T12:00:02.291Z measured on 205 rows: accuracy 0.9317, balanced_accuracy 0.9288, f1_macro 0.9301
2026-01-31T12:00:02.503Z registered as version 7
"""  # noqa: RUF001 - the sign of multiplication is meant


# OpenAPI 3.1 has no word for one event of a stream.
_EVENTS_SCHEMA = {
    "type": "string",
    "description": "Server-sent events. The `id` of each says where in the history of the job it is: send it back as "
    "`Last-Event-ID`. Its `data` is a line of JSON: a `Job` if the `event` is `status`, a `Progress` if `progress`, "
    "an object of `at` and `text` if `log`.",
}


def _shown(value: str, summary: str) -> dict[str, Any]:
    return {"examples": {"training": {"summary": summary, "value": value}}}


EVENTS: dict[str, Any] = {
    "description": "The events, for as long as the job has not ended",
    "content": {
        "text/event-stream": {
            "schema": _EVENTS_SCHEMA,
            **_shown(_STREAM, "A training that succeeds; the jobs are cut short here"),
        }
    },
}
LOG: dict[str, Any] = {
    "description": "The log so far",
    "content": {"text/plain": _shown(_TEXT, "A training that succeeds")},
}
