"""What runs: Redis, the API, workers, Flower."""

from dataclasses import replace
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import redis

from cli.client import requests as calls
from cli.client.address import Address
from cli.client.connection import Answer, Client, Credential
from cli.client.errors import CommandFailed
from cli.client.probe import ask
from cli.client.release import release_in
from cli.doctor.examination import CheckResult, broken, note, ok
from cli.launcher.errors import StartFailed
from cli.launcher.published import published
from cli.launcher.valkey import find_binary
from shared.queue import JobQueue
from shared.redis_access import connect_redis, redis_problem
from shared.settings import Settings

_START = "`make run`, or `mlmini up`, starts the platform."
_NOT_TOLD = "not well. The API tells more after `mlmini login`, or to an API key."
_SECONDS = 3


def check_redis(settings: Settings) -> CheckResult:
    """The Redis server of the settings, or the one that `mlmini up` starts."""
    if "redis_url" not in settings.model_fields_set:
        try:
            return ok("Redis", f"`mlmini up` starts its own: {find_binary()}")
        except StartFailed as error:
            return broken("Redis", "there is no server", str(error))
    place = _redis_place(settings)
    try:
        _ping(settings)
    except redis.RedisError as error:
        return broken("Redis", place, redis_problem(error))
    return ok("Redis", place)


def check_api(address: Address, credential: Credential = dict) -> CheckResult:
    """The API, asked in the way of every verb, and what it says about its parts."""
    # An API that the user named has to be there.
    absent = broken if address.named else note
    try:
        with Client(address, credential=credential) as client:
            version = client.look(calls.version(read_seconds=_SECONDS))
            release = release_in(version.document) if version.status == HTTPStatus.OK else None
            if release is None:
                return absent(
                    "API", f"what answers at {address.shown} is not the platform", f"{address.source} {_START}"
                )
            ready = client.look(calls.readiness(read_seconds=_SECONDS))
    except CommandFailed as failure:
        reason, *hints = failure.sentence.splitlines()
        return absent("API", reason, " ".join(map(str.strip, hints)))
    return _judged(f"{address.shown}, release {release}", ready)


def check_workers(address: Address, settings: Settings, credential: Credential = dict) -> CheckResult:
    """Whether workers have announced themselves: the API knows, else Redis does."""
    found = _dependencies(_readiness(address, credential)).get("workers")
    if isinstance(found, dict):
        if found.get("state") == "ok":
            return replace(ok("Workers", f"announced{_of_pools(found)}"), running=True)
        return note("Workers", "none is known", _hint_of(found))
    if "redis_url" not in settings.model_fields_set:
        return note("Workers", "not started", _START)
    try:
        # The queue would wait for longer.
        _ping(settings)
        workers = _announced(settings)
    except redis.RedisError:
        return note("Workers", "not known", "They announce themselves through Redis, which does not answer.")
    if not workers:
        return note("Workers", "none has announced itself", f"`python -m worker` starts one. {_START}")
    return replace(ok("Workers", ", ".join(workers)), running=True)


def check_flower(settings: Settings) -> CheckResult:
    """Flower, which the platform can do without."""
    url = published(settings.home).get("flower", f"http://127.0.0.1:{settings.flower_port}")
    reply = ask(url, "/healthcheck")
    if reply is None or reply.status != HTTPStatus.OK:
        return note("Flower", f"does not answer at {url}", f"Jobs run without it. {_START}")
    return replace(ok("Flower", url), running=True)


def _ping(settings: Settings) -> None:
    client = connect_redis(settings, seconds=_SECONDS)
    try:
        client.ping()
    finally:
        client.close()


def _announced(settings: Settings) -> list[str]:
    queue = JobQueue(settings)
    try:
        return queue.workers()
    finally:
        queue.close()


def _judged(found: str, ready: Answer) -> CheckResult:
    hints = [
        f"{name}: {_hint_of(part)}"
        for name, part in _dependencies(ready).items()
        if isinstance(part, dict) and part.get("state") != "ok"
    ]
    up, wanted = _processes(ready)
    if wanted > 1:
        found += f", {up} of {wanted} processes"
    if up < wanted:
        hints.append("processes: `api_process_ended` in the API's log tells how those that are missing ended.")
    if ready.status != HTTPStatus.OK:
        result = broken("API", f"{found}, is not ready", " ".join(hints) or "Look at its log.")
    elif hints:
        result = note("API", f"{found}, is degraded", " ".join(hints))
    else:
        result = ok("API", found)
    return replace(result, running=True)


def _hint_of(part: dict[str, Any]) -> str:
    """What to do about a part; once there are accounts, that is told to those only who say who they are."""
    return str(part.get("hint") or _NOT_TOLD)


def _readiness(address: Address, credential: Credential) -> Answer | None:
    try:
        with Client(address, credential=credential) as client:
            return client.look(calls.readiness(read_seconds=_SECONDS))
    except CommandFailed:
        return None


def _dependencies(ready: Answer | None) -> dict[str, Any]:
    document = ready.document if ready else None
    found = document.get("dependencies") if isinstance(document, dict) else None
    return found if isinstance(found, dict) else {}


def _of_pools(workers: dict[str, Any]) -> str:
    """The pools that workers take, where there are others than the usual one."""
    pools = workers.get("pools")
    return f" for the pools {', '.join(map(str, pools))}" if isinstance(pools, list) else ""


def _processes(ready: Answer) -> tuple[int, int]:
    """How many processes of the API take requests, and how many are wanted; an older release does not tell."""
    document = ready.document if isinstance(ready.document, dict) else {}
    match document.get("processes"):
        case {"up": int(up), "wanted": int(wanted)}:
            return up, wanted
    return 1, 1


def _redis_place(settings: Settings) -> str:
    parts = urlsplit(settings.redis_url.get_secret_value())
    return f"{parts.hostname or parts.path}:{parts.port}" if parts.port else str(parts.hostname or parts.path)
