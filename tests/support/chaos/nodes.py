"""The nodes of a cluster: any number of APIs and workers, which are replaced when they die."""

import signal
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

from shared.settings import Settings
from tests.support.api_server import ApiServer
from tests.support.chaos.arming import Arms
from tests.support.site import Site, Worker, environment_of
from tests.support.waiting import eventually

_START_SECONDS = 60
_STOP_SECONDS = 20


class ArmedApi(ApiServer):
    """The API with faults to be armed."""

    def __init__(self, settings: Settings, arms: Arms) -> None:
        super().__init__(settings)
        self._arms = arms

    def environment(self) -> dict[str, str]:
        return super().environment() | self._arms.environment

    @property
    def is_alive(self) -> bool:
        """Whether the process has not ended."""
        return self.process is not None and self.process.poll() is None

    @property
    def serves(self) -> bool:
        """Whether it answers."""
        with suppress(OSError):
            return self.is_ready()
        return False


@dataclass
class Nodes:
    """The test's own access goes straight to `site`; the processes have `settings`."""

    site: Site
    settings: Settings
    arms: Arms
    apis: list[ArmedApi] = field(default_factory=list)
    # By process id: the module and the environment that a dead worker is replaced with.
    _replacements: dict[int, dict[str, str]] = field(default_factory=dict)

    @property
    def urls(self) -> list[str]:
        """Where the API processes serve."""
        return [api.url for api in self.apis]

    @property
    def workers(self) -> list[Worker]:
        """The workers that are alive, stopped or not."""
        return [worker for worker in self.site.workers if worker.process.poll() is None]

    def launch_api(self) -> ArmedApi:
        """Start one more API process and do not wait for it."""
        api = ArmedApi(self.settings, self.arms)
        self.apis.append(api)
        api.launch()
        return api

    def start_api(self) -> ArmedApi:
        """Start one more API process; returns when it serves."""
        api = self.launch_api()
        eventually(lambda: api.serves, timeout=_START_SECONDS, what="the API serves")
        return api

    def launch_worker(self, module: str = "worker", **environment: str) -> Worker:
        """Start one more worker and do not wait for it; once dead, it is replaced by one of the same kind."""
        variables = environment_of(self.settings) | self.arms.environment | environment
        worker = self.site.launch_worker(module, **variables)
        self._replacements[worker.process.pid] = {"module": module, **environment}
        return worker

    def start_worker(self, module: str = "worker", **environment: str) -> Worker:
        """Start one more worker; returns when it takes jobs."""
        worker = self.launch_worker(module, **environment)
        _wait_for(worker)
        return worker

    def processes(self) -> list[psutil.Process]:
        """The API processes, and the workers with all that they started."""
        found = [psutil.Process(api.pid) for api in self.apis if api.is_alive]
        for worker in self.workers:
            with suppress(psutil.NoSuchProcess):
                found += worker.family()
        return found

    def stopped(self) -> list[psutil.Process]:
        """The processes that stand still."""
        return [each for each in self.processes() if _stands_still(each)]

    def resume(self) -> None:
        """Continue what stands still."""
        for each in self.stopped():
            with suppress(psutil.NoSuchProcess):
                each.resume()

    def revive(self) -> None:
        """Continue what stands still and start anew what is dead; waits for nothing."""
        self.resume()
        self.replace_dead()

    def replace_dead(self) -> None:
        """Start anew what is dead, as a process manager does; waits for nothing."""
        for api in self.apis:
            if not api.is_alive:
                api.launch()
        for worker in list(self.site.workers):
            if worker.process.poll() is not None and (known := self._replacements.pop(worker.process.pid, None)):
                self.launch_worker(**known)

    def wait_until_ready(self) -> None:
        """Return when every process is alive and does its work."""
        for api in self.apis:
            eventually(lambda api=api: self._serves(api), timeout=_START_SECONDS, what="the API serves again")  # type: ignore[misc] # it cannot see the type of a default
        for worker in self.workers:
            _wait_for(worker)

    def stop_workers(self) -> None:
        """Ask all workers to stop, so that no attempt is left that has lost its job; they are not replaced."""
        self._replacements.clear()
        workers = self.workers
        for worker in workers:
            worker.process.send_signal(signal.SIGTERM)
            worker.process.send_signal(signal.SIGCONT)
        for worker in workers:
            worker.process.wait(timeout=_STOP_SECONDS)

    def _serves(self, api: ArmedApi) -> bool:
        # Whoever met a fail point at the last moment may stand still, or have died, only now.
        self.revive()
        return api.serves


def _wait_for(worker: Worker) -> None:
    eventually(lambda: worker.is_ready or worker.process.poll() is not None, timeout=_START_SECONDS)
    assert worker.process.poll() is None, worker.log


def _stands_still(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return bool(process.status() == psutil.STATUS_STOPPED)
    return False
