"""Clients that do at random what people do, from one seed, until they are told to stop."""

import threading
from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

from shared.jobs.states import TERMINAL
from tests.support.chaos.clients import Client
from tests.support.chaos.journal import CONFLICT, OK, Call, Journal
from tests.support.chaos.models import Models
from tests.support.chaos.work import ROWS, UPLOADED, table, train_request
from tests.support.threads import at_once

# Of one client: more are not asked for before some have ended.
_MOST_OPEN = 8
_PAUSE_SECONDS = 0.02
_BURST = 6


class Person:
    """One client with a mind of its own."""

    def __init__(self, client: Client, models: Models, rng: Random) -> None:
        self._client = client
        self._models = models
        self._rng = rng
        self._open: list[UUID] = []
        self._ended: list[UUID] = []
        self._acts: dict[Callable[[], object], int] = {
            self._train: 20,
            self._promote: 44,
            self._cancel: 16,
            self._retry: 6,
            self._predict: 24,
            self._look: 10,
            self._upload: 1,
            self._same_key: 1,
            self._same_promotion: 1,
        }

    def act(self) -> None:
        """Do one thing."""
        if len(self._open) >= _MOST_OPEN:
            # Nobody waits for everything that was wished for.
            self._rng.choice([self._look, self._look, self._cancel])()
            return
        (act,) = self._rng.choices(list(self._acts), weights=list(self._acts.values()))
        act()

    def _train(self) -> None:
        self._note(self._client.train(**train_request(self._rng, self._dataset())))

    def _promote(self) -> None:
        chosen = self._models.choose(self._rng)
        if chosen is None:
            self._train()
            return
        dataset_name, version, stage = chosen
        if stage is None:
            self._retire(version)
            return
        call = self._client.promote(dataset_name, version, stage)
        if call.status == CONFLICT:
            # Somebody else has done it.
            self._models.found(version, stage)
        self._note(call)

    def _retire(self, version: int) -> None:
        """Take a version out of a stage, so that it can be promoted there again."""
        stage = self._rng.choice(self._models.above_first)
        body = {"stage": stage, "reason": "Another one is to be tried."}
        if self._client.once("POST", f"/models/{version}/retire", body=body).status == OK:
            self._models.retired(version, stage)

    def _cancel(self) -> None:
        if self._open:
            job_id = self._rng.choice(self._open[-3:])
            call = self._client.cancel(job_id)
            if call.status == CONFLICT or (call.is_accepted_cancel and call.answer["status"] in TERMINAL):
                self._open.remove(job_id)

    def _retry(self) -> None:
        if self._ended:
            self._note(self._client.retry(self._rng.choice(self._ended)))

    def _predict(self) -> None:
        dataset_name, environment = self._models.place(self._rng) or (self._dataset(), "dev")
        self._client.predict(dataset_name, environment, [ROWS[dataset_name]])

    def _look(self) -> None:
        if not self._open:
            return
        # Mostly the oldest, but not always: it may be the one that waits for a fault to end.
        job_id = self._rng.choice([self._open[0], *self._open])
        call = self._client.job(job_id, wait=1)
        if call.status == OK and call.answer["status"] in TERMINAL:
            self._open.remove(job_id)
            self._ended = [*self._ended, job_id][-10:]
            self._models.learn(call.answer)

    def _upload(self) -> None:
        files = {"file": (f"{UPLOADED}.csv", table(self._rng), "text/csv")}
        self._client.once("POST", "/datasets/upload", files=files)
        self._models.uploaded = True

    def _same_key(self) -> None:
        """Send one wish many times at once."""
        body, key = train_request(self._rng, "iris"), f"burst-{self._rng.randrange(10**12)}"
        self._note(*at_once(*[lambda: self._client.post("/train", body, key=key)] * _BURST))

    def _same_promotion(self) -> None:
        """Send many wishes of which one can come true, and take one back."""
        chosen = self._models.choose(self._rng)
        if chosen is None or chosen[2] is None:
            return
        dataset_name, version, _ = chosen
        calls = at_once(*[partial(self._client.promote, dataset_name, version, chosen[2])] * _BURST)
        self._note(*calls)
        for call in calls[:1]:
            if call.is_promise:
                self._client.cancel(call.job_id)

    def _dataset(self) -> str:
        return self._rng.choice([*ROWS] if self._models.uploaded else ["iris", "wine"])

    def _note(self, *calls: Call) -> None:
        self._open += dict.fromkeys(call.job_id for call in calls if call.is_promise)


class Load:
    """Some clients, each in a thread."""

    def __init__(self, journal: Journal, urls: Sequence[str], *, seed: object, clients: int) -> None:
        self._stopping = threading.Event()
        models = Models()
        self._threads = [
            threading.Thread(
                target=self._live, args=(journal, urls, models, f"{seed}-{number}"), name=f"client-{number}"
            )
            for number in range(clients)
        ]
        self._faults: list[BaseException] = []

    def start(self) -> None:
        """Let them begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let each do what it has begun, but nothing more; to be called when the platform is whole.

        Raises:
            BaseException: what a client did not foresee of an answer.
        """
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        for fault in self._faults:
            raise fault

    def _live(self, journal: Journal, urls: Sequence[str], models: Models, seed: str) -> None:
        rng: Any = Random(seed)  # noqa: S311 - it is to be repeatable
        client = Client(journal, urls)
        person = Person(client, models, rng)
        try:
            while not self._stopping.wait(rng.uniform(0, _PAUSE_SECONDS)):
                person.act()
        except Exception as error:  # noqa: BLE001 - raised again in the thread that stops the clients
            self._faults.append(error)
        finally:
            client.close()
