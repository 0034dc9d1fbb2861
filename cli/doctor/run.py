"""All checks, from the first line to the exit status."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from functools import partial

from cli.client.address import Address, find_address
from cli.client.connection import Credential
from cli.client.credentials import Credentials
from cli.doctor import access, libraries, machine, packages, ports
from cli.doctor import services as running
from cli.doctor import storage as kept
from cli.doctor.cluster import check_dask
from cli.doctor.examination import Check, CheckResult, CheckState, broken, examine
from cli.render.output import Output
from cli.render.screen import say
from shared.errors import WrongSettings
from shared.settings import Settings, load_settings

_WIDTH = 14
_READER = ("Reader memory", "shared.tables.inspection:main")
_JOB = ("Job memory", "worker.computation:main")
_SIGNS = {CheckState.OK: "✓", CheckState.NOTE: "!", CheckState.BROKEN: "✗"}


def doctor(*, url: str | None, as_json: bool) -> int:
    """Show what was found; 1 when something that is needed is broken.

    Raises:
        WrongUsage: when `url` is not a URL, or the environment names a key that cannot be used.
    """
    results = _give_json(_look(url)) if as_json else _show_lines(_look(url))
    return 1 if _broken_parts(results) else 0


def _look(url: str | None) -> Iterator[CheckResult]:
    try:
        settings = load_settings()
    except WrongSettings as error:
        yield from examine({"Python": machine.check_python})
        yield broken("Settings", "cannot be used, so nothing else was checked", error.detail)
        return
    # Only now: without --url the address comes from the settings, which may be wrong.
    address = find_address(url)
    yield from examine(_checks(address, settings, Credentials(address).headers_if_any))
    if browser := machine.check_browser():
        yield browser


def _checks(address: Address, settings: Settings, credential: Credential) -> dict[str, Check]:
    return {
        "Python": machine.check_python,
        "Libraries": libraries.check_libraries,
        "Settings": partial(machine.check_settings, settings),
        "Reader memory": partial(machine.check_memory, *_READER, settings.reader_memory_mb, "MLMINI_READER_MEMORY_MB"),
        "Job memory": partial(machine.check_memory, *_JOB, settings.job_memory_mb, "MLMINI_JOB_MEMORY_MB"),
        "Isolation": partial(machine.check_isolation, settings),
        "Home folder": partial(kept.check_home, settings),
        "Database": partial(kept.check_database, settings),
        "Own packages": partial(packages.check_own_packages, settings),
        "Artifact key": partial(kept.check_key, settings),
        "Object store": partial(kept.check_store, settings),
        **({} if settings.dask_scheduler is None else {"Dask": partial(check_dask, settings)}),
        "Access": partial(access.check_access, settings),
        "Login": partial(access.check_provider_logins, settings),
        "Audit record": partial(access.check_record, settings),
        "Redis": partial(running.check_redis, settings),
        "Ports": partial(ports.check_ports, settings),
        "API": partial(running.check_api, address, credential),
        "Workers": partial(running.check_workers, address, settings, credential),
        "Flower": partial(running.check_flower, settings),
    }


def _show_lines(results: Iterable[CheckResult]) -> list[CheckResult]:
    shown = []
    for result in results:
        say(f"  {_SIGNS[result.state]} {result.part:<{_WIDTH}}{result.found}")
        if result.hint:
            say(f"    {'':<{_WIDTH}}{result.hint}")
        shown.append(result)
    say(f"\n{_verdict(shown)}")
    return shown


def _verdict(results: list[CheckResult]) -> str:
    if parts := _broken_parts(results):
        return f"Broken: {', '.join(parts)}."
    if _running(results):
        return "Everything that is needed is well."
    return "Everything that is needed is well, and nothing runs yet: `make run`, or `mlmini up`, starts the platform."


def _give_json(results: Iterable[CheckResult]) -> list[CheckResult]:
    found = list(results)
    checks = [asdict(result) for result in found]
    for check in checks:
        del check["running"]
    document = {"ok": not _broken_parts(found), "running": _running(found), "checks": checks}
    Output(as_json=True).write(document)
    return found


def _running(results: list[CheckResult]) -> bool:
    return any(result.running for result in results)


def _broken_parts(results: list[CheckResult]) -> list[str]:
    return [result.part for result in results if result.state is CheckState.BROKEN]
