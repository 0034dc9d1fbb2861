"""The demo's steps, from a table with gaps to predictions."""

import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

from rich.console import RenderableType

from cli.actions.session import connected
from cli.actions.training import training_request
from cli.actions.uploading import upload
from cli.actions.waiting import check_success, wait_for
from cli.client import requests as calls
from cli.client.connection import Client
from cli.client.request import Call
from cli.demo.host import Host, host
from cli.render.datasets import dataset_profile
from cli.render.models import comparison, promoted
from cli.render.output import Output, facts
from cli.render.screen import say
from cli.render.table import table

TABLE = Path(__file__).parents[1] / "data" / "penguins.csv"
TARGET = "species"
ESTIMATORS = {
    "linear_model.LogisticRegression": ["max_iter=1000"],
    "ensemble.RandomForestClassifier": ["n_estimators=200"],
    "ensemble.HistGradientBoostingClassifier": [],
}
STAGES = ("staging", "production")
# Raw rows as they come: what is null or left out is missing.
PENGUINS: list[dict[str, Any]] = [
    {"island": "Torgersen", "bill_length_mm": 39.1, "bill_depth_mm": 18.7, "flipper_length_mm": 181, "sex": "male"},
    {"island": "Biscoe", "bill_length_mm": 47.3, "bill_depth_mm": 15.3, "body_mass_g": 5250, "sex": None},
    {"island": "Dream", "bill_length_mm": 50.0, "bill_depth_mm": 19.5, "flipper_length_mm": 196, "year": 2009},
]
_WAIT_SECONDS = 20


def run_demo(url: str | None, *, keep: bool | None) -> None:
    """Walk through the platform, starting one if none runs.

    Raises:
        CommandFailed: when a step fails.
    """
    output = Output()
    with host(url, output) as found:
        with connected(found.address.url) as (client, _):
            _Walk(client, output, found).go()
        if found.launcher is not None and (sys.stdout.isatty() if keep is None else keep):
            say("\nThe platform goes on. Ctrl-C stops it.")
            found.wait()


class _Walk:
    """The steps, each told before it is done."""

    def __init__(self, client: Client, output: Output, found: Host) -> None:
        self._client = client
        self._output = output
        self._host = found
        self._steps = 0

    def go(self) -> None:
        """Do them all."""
        if self._client.says_who:
            say('\nEach step is sent with your credential. The curl commands need one, too: -H "X-API-Key: $KEY"')
        name = self._upload()
        jobs = self._train(name)
        version = self._compare([job["result"]["version"] for job in jobs])
        for stage in STAGES:
            self._promote(name, version, stage)
        self._predict(name)
        job_id = next(job["job_id"] for job in jobs if job["result"]["version"] == version)
        self._say_goodbye(name, version, job_id)

    def _upload(self) -> str:
        call = calls.upload(TABLE, name=None, description="Palmer penguins: three species, with gaps")
        self._tell("Upload a table", "344 penguins: numbers and categories, with gaps in five of eight columns.", call)
        dataset = upload(self._client, self._output, call).document
        self._show(dataset_profile(dataset))
        name: str = dataset["name"]
        return name

    def _train(self, name: str) -> list[dict[str, Any]]:
        requests = [
            calls.train(
                training_request(name, model=[estimator], params=params, target_column=TARGET, test_size=0.3),
                key=str(uuid4()),
            )
            for estimator, params in ESTIMATORS.items()
        ]
        self._tell(
            "Train three estimators at once", "Each is a job. The key makes it safe to send it again.", *requests
        )
        jobs = [self._client.get(request) for request in requests]
        waits = [calls.job(job["job_id"], wait=_WAIT_SECONDS) for job in jobs]
        self._tell("Wait for them", "The answer comes when the job ends, at the latest after 20 s.", *waits)
        return self._wait(jobs, [estimator.rpartition(".")[2] for estimator in ESTIMATORS])

    def _compare(self, versions: list[int]) -> int:
        call = calls.compare(versions)
        self._tell("Compare the models", "All were measured on the same rows, which they had not seen.", call)
        compared = self._client.get(call)
        self._show(comparison({**compared, "parameters": []}))
        return best_of(compared)

    def _promote(self, name: str, version: int, stage: str) -> None:
        call = calls.promote(dataset_name=name, version=version, target_stage=stage, key=str(uuid4()))
        self._tell(f"Promote version {version} to {stage}", "The best one goes up, one stage at a time.", call)
        job = self._client.get(call)
        (job,) = self._wait([job], [f"to {stage}"])
        self._show(promoted(job))

    def _predict(self, name: str) -> None:
        call = calls.predict(
            dataset_name=name, environment=STAGES[-1], input_data={"records": PENGUINS}, probabilities=True
        )
        self._tell("Predict", "Raw rows go in; what is null or left out is a missing value.", call)
        answer = self._client.get(call)
        self._show(_predictions(answer))

    def _say_goodbye(self, name: str, version: int, job_id: str) -> None:
        url = self._host.address.shown
        flower = self._host.flower_url
        self._tell("Go on", f"Version {version} of '{name}' serves in {STAGES[-1]}.")
        self._show(
            facts(
                [
                    ("Swagger UI", f"{url}/docs"),
                    ("The job", f"{url}/jobs/{job_id}"),
                    ("The model", f"{url}/models/{version}"),
                    *([("Flower", flower)] if flower else []),
                    ("Your rows", f"mlmini predict {name} FILE.csv --output labelled.csv"),
                ]
            )
        )

    def _wait(self, jobs: list[dict[str, Any]], labels: list[str]) -> list[dict[str, Any]]:
        ended = wait_for(self._client, self._output, jobs, labels)
        for job in ended:
            check_success(job)
        return ended

    def _tell(self, heading: str, sentence: str, *requests: Call) -> None:
        self._steps += 1
        say(f"\n{self._steps}. {heading}", style="bold")
        say(sentence)
        for request in requests:
            say()
            say(request.as_curl(self._host.address.shown), style="cyan")
        say()

    def _show(self, content: RenderableType) -> None:
        self._output.show(content)


def best_of(compared: dict[str, Any]) -> int:
    """The version that does best by the first metric, among several such by the next one, and so on."""
    candidates: list[int] = compared["versions"]
    for metric in compared["metrics"]:
        candidates = [version for version in candidates if version in metric.get("best", [])] or candidates
    return candidates[0]


def _predictions(answer: dict[str, Any]) -> RenderableType:
    found = zip(PENGUINS, answer["predictions"], answer["probabilities"], strict=True)
    return table(
        ["Prediction", "Certainty", "Row"],
        ((label, f"{max(shares):.0%}", row) for row, label, shares in found),
        right=["Certainty"],
        whole=["Prediction"],
    )
