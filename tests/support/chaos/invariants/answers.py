"""Invariants of what clients were told."""

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from shared.registry.rows import DeploymentRow
from tests.support.chaos.history import History
from tests.support.chaos.journal import OK, Call

# How soon every process is to serve by what the registry says, and as much again for a machine with too much to do.
_FRESHNESS = timedelta(seconds=1)
_TOLERANCE = timedelta(seconds=2)
# What lies below these folders is nobody's business but the machine's.
_PATH = re.compile(r"(?<![\w/.])/(?:app|etc|home|opt|proc|root|tmp|usr|var|work)/\S")
_TRACEBACK = re.compile(r"Traceback \(|File \"[^\"]+\", line \d+|sqlalchemy|psycopg|sqlite3\.")


def predictions_name_a_current_version(history: History) -> Iterator[str]:
    """I9: the version that answered was current at some time between call and answer, and answers always alike.

    The second that a process may take to notice a change counts as between; so does any time in which it could not
    look, or in which the run was at its throat (`Journal.blind`).
    """
    ledger = _Ledger(history)
    said: dict[str, tuple[object, Call]] = {}
    for call in history.journal.calls:
        if call.path != "/predict" or call.status != OK:
            continue
        yield from ledger.faults_of(call)
        question = json.dumps([call.answer["version"], call.body["input_data"], call.body.get("return")])
        answer = (call.answer["predictions"], call.answer.get("probabilities"))
        if said.setdefault(question, (answer, call))[0] != answer:
            yield f"version {call.answer['version']} gave two answers to the same rows"


class _Ledger:
    """Which version was current where and when, as far as that is known for sure."""

    def __init__(self, history: History) -> None:
        self._journal = history.journal
        self._names = history.dataset_names
        self._by_place: dict[tuple[str, str], list[DeploymentRow]] = {}
        for row in history.deployments:
            self._by_place.setdefault((self._names[row.dataset_id], row.stage), []).append(row)
        self._seen = _first_seen(history)

    def faults_of(self, call: Call) -> Iterator[str]:
        place = (call.answer["dataset_name"], call.answer["environment"])
        version = call.answer["version"]
        ledger = self._by_place.get(place, [])
        since, until = self._journal.moment(self._journal.sighted(call.began)), self._journal.moment(call.ended)
        since -= _FRESHNESS + _TOLERANCE
        if not any(row.version == version and _active_within(row, since, until) for row in ledger):
            yield f"a prediction for {place} named version {version}, which was not active there then"
        for row in ledger:
            # A row is written before it is committed: only what somebody has seen was surely there.
            seen = self._seen.get((row.version, row.stage))
            if row.version > version and seen is not None and seen < since and _stays(row, since, until):
                yield f"a prediction for {place} named version {version} when {row.version} had been current for long"


def _active_within(row: DeploymentRow, since: datetime, until: datetime) -> bool:
    begun = row.created_at <= until + _TOLERANCE
    return begun and (row.retired_at is None or row.retired_at >= since)


def _stays(row: DeploymentRow, since: datetime, until: datetime) -> bool:
    """Whether it was active during all of the time."""
    return row.created_at < since and (row.retired_at is None or row.retired_at > until + _TOLERANCE)


def _first_seen(history: History) -> dict[tuple[int, str], datetime]:
    """When a client first saw that a version had come into a stage."""
    seen: dict[tuple[int, str], datetime] = {}
    for call in history.journal.calls:
        result = call.answer.get("result") if isinstance(call.answer, dict) and not call.is_error else None
        if result:
            at = history.journal.moment(call.ended)
            place = (result["version"], result["stage"])
            seen[place] = min(at, seen.get(place, at))
    return seen


def errors_give_nothing_away(history: History) -> Iterator[str]:
    """I13: no secret, no path and no traceback is in any error body, nor in what a job says of its failure."""
    told = {call.text: f"{call.method} {call.path}" for call in history.journal.calls if call.is_error}
    told |= {json.dumps(job.error): f"the error of job {job.id}" for job in history.jobs.values() if job.error}
    for text, where in told.items():
        for secret in history.secrets:
            if secret in text:
                yield f"{where} gives a secret away: {text[:300]}"
        if _PATH.search(text) or _TRACEBACK.search(text):
            yield f"{where} tells of the inside: {text[:300]}"
