"""First answers: of servers that start, and of models that are not in memory."""

import json
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
from pydantic import SecretStr

from bench.measuring import free_port
from bench.promotions import promote
from bench.references import LOADING, TUTORIAL
from bench.serving import CASES, LOGISTIC, Case, body_of, serve
from bench.sites import prepare
from shared.settings import Settings
from tests.support.api_server import ApiServer
from tests.support.server import Server, running
from tests.support.servers import Valkey
from tests.support.site import site
from tests.support.standalone import ServedByVerb

COMPILED = [case for case in CASES if case.key in {"logistic", "forest", "wide"}]
(NEIGHBOURS,) = (case for case in CASES if case.key == "neighbors")
# The first model without a form has the API start the server that predicting processes are forked from.
LOADED = [*COMPILED, NEIGHBOURS, NEIGHBOURS._replace(key="another", name="another one without a compiled form")]
# What is in the dataset's dev besides, and newer: the API loads that at its start.
COVERS = [case._replace(model=LOGISTIC) for case in CASES if case.key in {"forest", "wide"}]
(STARTED,) = (case for case in LOADED if case.key == "forest")
# The names under which seconds are kept.
API, FOLDER, TUTORIAL_START = "the API", "mlmini serve", "tutorial"

Seconds = dict[str, list[float]]


class Furnished(NamedTuple):
    """An installation whose worker runs: a version of each case, its file, and the exported folder of one."""

    settings: Settings
    versions: dict[str, int]
    files: dict[str, Path]
    exported: Path


def first_answers(times: int) -> Seconds:
    """The seconds of so many rounds, by what they are of."""
    seconds: Seconds = defaultdict(list)
    with furnished() as place:
        for _ in range(times):
            round_of_starts(place, seconds)
            for case in LOADED:
                file, row = str(place.files[case.key]), json.dumps(case.row)
                said = subprocess.run([sys.executable, "-c", LOADING, file, row], check=True, capture_output=True)
                loaded, predicted = map(float, said.stdout.split())
                seconds[reference_of(case)].append(loaded + predicted)
    return seconds


def reference_of(case: Case) -> str:
    """The name of the seconds that joblib and scikit-learn take for a case."""
    return f"joblib {case.key}"


def round_of_starts(place: Furnished, seconds: Seconds) -> None:
    """Start each server once, and have the API load what it has not loaded by itself."""
    api = ApiServer(place.settings, forked=False)
    with started(api, f"{api.url}/predict", body_of(STARTED, STARTED.row, 1) | {"environment": "staging"}) as took:
        seconds[API].append(took)
        with httpx2.Client(base_url=api.url, timeout=60) as client:
            for case in COVERS:
                answered(client, body_of(case, case.row, 1))
            # Warm: what is loaded from now on is all that is loaded.
            time.sleep(1)
            for case in LOADED:
                body = body_of(case, case.row, 1) | {"version": place.versions[case.key]}
                seconds[case.key].append(answered(client, body))
    alone = ServedByVerb(place.exported)
    body = body_of(STARTED, STARTED.row, 1) | {"environment": "staging"}
    with started(alone, f"{alone.url}/predict", body) as took:
        seconds[FOLDER].append(took)
    seconds[TUTORIAL_START].append(start_of_tutorial(place.files[STARTED.key]))


def answered(client: httpx2.Client, body: dict[str, Any]) -> float:
    """Seconds until an answer, which is right."""
    began = time.perf_counter()
    client.post("/predict", json=body).raise_for_status()
    return time.perf_counter() - began


@contextmanager
def started(server: Server, url: str, body: dict[str, Any]) -> Iterator[float]:
    """A server, with the seconds from its start until the first answer that is right."""
    try:
        began = time.perf_counter()
        server.launch()
        yield until_answered(url, body, began)
        server.stop()
    finally:
        server.remove()


def start_of_tutorial(file: Path) -> float:
    """Seconds from the start of the tutorial's server until its first answer."""
    port = free_port()
    began = time.perf_counter()
    with subprocess.Popen([sys.executable, "-c", TUTORIAL, str(port), file]) as server:
        try:
            return until_answered(f"http://127.0.0.1:{port}/predict", body_of(STARTED, STARTED.row, 1), began)
        finally:
            server.terminate()


def until_answered(url: str, body: dict[str, Any], began: float) -> float:
    """Seconds since `began` until a 200."""
    with httpx2.Client(timeout=60) as client:
        while time.perf_counter() < began + 60:
            try:
                if client.post(url, json=body).status_code == 200:
                    return time.perf_counter() - began
            except httpx2.TransportError:
                pass
            time.sleep(0.005)
    raise SystemExit(f"{url} did not answer")


@contextmanager
def furnished() -> Iterator[Furnished]:
    """Everything but the API runs, and it has all models."""
    valkey = Valkey()
    with tempfile.TemporaryDirectory() as name, running(valkey):
        folder = Path(name)
        settings = Settings(home=folder / "home", redis_url=SecretStr(valkey.url))
        prepare(settings)
        with site(settings, valkey, folder) as place:
            place.start_worker()
            api = ApiServer(settings, forked=False)
            with running(api):
                versions, files = furnish(api.url, folder)
            exported = folder / "exported"
            words = [sys.executable, "-m", "cli", "models", "export", "iris@staging", "--to", str(exported)]
            subprocess.run(words, env=api.environment(), cwd=folder, check=True, capture_output=True)
            yield Furnished(settings, versions, files, exported)


def furnish(url: str, folder: Path) -> tuple[dict[str, int], dict[str, Path]]:
    """Train all, and promote what a start is measured with."""
    versions = {case.key: serve(url, case) for case in LOADED}
    for case in COVERS:
        serve(url, case)
    promote(url, versions[STARTED.key], "staging")
    files = {}
    for key, version in versions.items():
        files[key] = folder / f"{key}.pkl"
        files[key].write_bytes(httpx2.get(f"{url}/models/{version}/artifact", timeout=60).raise_for_status().content)
    return versions, files
