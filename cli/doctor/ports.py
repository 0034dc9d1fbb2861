"""The ports that the platform listens on: free, held by itself, or taken by something else."""

from contextlib import suppress
from http import HTTPStatus
from urllib.parse import urlsplit

from cli.client.probe import ask
from cli.client.release import release_in
from cli.doctor.examination import CheckResult, CheckState
from cli.launcher.addresses import scheme_of
from cli.launcher.published import published
from shared.listening import is_about_the_host, listen, listen_problem
from shared.settings import PREFIX, Settings

# Under which names the addresses are published.
_PARTS = {"port": "api", "flower_port": "flower"}
_WORST_FIRST = (CheckState.BROKEN, CheckState.NOTE, CheckState.OK)


def check_ports(settings: Settings) -> CheckResult:
    """The ports of the API and of Flower."""
    api = _look(settings, "port", host=settings.host, path="/version", scheme=scheme_of(settings))
    flower = _look(settings, "flower_port", host="127.0.0.1", path="/healthcheck", scheme="http")
    state = next(state for state in _WORST_FIRST if state in {api.state, flower.state})
    hint = " ".join(filter(None, [api.hint, flower.hint]))
    return CheckResult("Ports", state, f"{api.found}, {flower.found}", hint)


def _look(settings: Settings, field: str, *, host: str, path: str, scheme: str) -> CheckResult:
    port: int = getattr(settings, field)
    variable = PREFIX + field.upper()
    try:
        listen(host, port).close()
    except OSError as error:
        if is_about_the_host(error):
            return CheckResult(field, CheckState.BROKEN, f"{port} cannot be used", listen_problem(host, port, error))
        if _is_platform(f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}", path):
            return _held(settings, field, port)
        if field in settings.model_fields_set:
            hint = f"Stop what listens there, or set {variable} to a free port."
            return CheckResult(field, CheckState.BROKEN, f"{port} cannot be used ({error.strerror})", hint)
        hint = f"`mlmini up` takes one of the next ports; {variable} names another."
        return CheckResult(field, CheckState.NOTE, f"{port} is taken by something else", hint)
    return CheckResult(field, CheckState.OK, f"{port} is free")


def _held(settings: Settings, field: str, port: int) -> CheckResult:
    """A platform holds the port: the one of this home, or another one."""
    url = published(settings.home).get(_PARTS[field], "")
    with suppress(ValueError):
        if urlsplit(url).port == port:
            return CheckResult(field, CheckState.OK, f"{port} is the port of the platform that runs on this home")
    hint = (
        f"`mlmini up` cannot start there: stop that platform, or set {PREFIX}{field.upper()} to a free port."
        if field in settings.model_fields_set
        else f"`mlmini up` takes one of the next ports; {PREFIX}{field.upper()} names another."
    )
    return CheckResult(
        field, CheckState.NOTE, f"{port} is held by a platform that `mlmini up` did not start on this home", hint
    )


def _is_platform(url: str, path: str) -> bool:
    reply = ask(url, path)
    if reply is None or reply.status != HTTPStatus.OK:
        return False
    # Flower's answer is not a document.
    return path != "/version" or release_in(reply.document) is not None
