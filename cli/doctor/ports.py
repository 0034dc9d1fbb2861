"""The ports that the platform listens on: free, its own already, or somebody else's."""

import http.client
from contextlib import suppress
from urllib.parse import urlsplit

from cli.client.probe import ask
from cli.doctor.finding import CheckState, Finding
from cli.launcher.published import published
from shared.listening import is_about_the_host, listen, listen_fault
from shared.settings import PREFIX, Settings

# Under which names the addresses are published.
_PARTS = {"port": "api", "flower_port": "flower"}
_WORST_FIRST = (CheckState.BROKEN, CheckState.NOTE, CheckState.OK)


def check_ports(settings: Settings) -> Finding:
    """The ports of the API and of Flower."""
    api = _look(settings, "port", host=settings.host, path="/version")
    flower = _look(settings, "flower_port", host="127.0.0.1", path="/healthcheck")
    state = next(state for state in _WORST_FIRST if state in {api.state, flower.state})
    cure = " ".join(filter(None, [api.cure, flower.cure]))
    return Finding("Ports", state, f"{api.found}, {flower.found}", cure)


def _look(settings: Settings, field: str, *, host: str, path: str) -> Finding:
    port: int = getattr(settings, field)
    variable = PREFIX + field.upper()
    try:
        listen(host, port).close()
    except OSError as error:
        if is_about_the_host(error):
            return Finding(field, CheckState.BROKEN, f"{port} cannot be used", listen_fault(host, port, error))
        if _is_platform(f"http://{f'[{host}]' if ':' in host else host}:{port}", path):
            return _held(settings, field, port)
        if field in settings.model_fields_set:
            cure = f"Stop what listens there, or set {variable} to a free port."
            return Finding(field, CheckState.BROKEN, f"{port} cannot be used ({error.strerror})", cure)
        cure = f"`mlmini up` takes one of the next ports; {variable} names another."
        return Finding(field, CheckState.NOTE, f"{port} is taken by something else", cure)
    return Finding(field, CheckState.OK, f"{port} is free")


def _held(settings: Settings, field: str, port: int) -> Finding:
    """A platform holds the port: that of this home, or one in whose way another cannot start."""
    url = published(settings.home).get(_PARTS[field], "")
    with suppress(ValueError):
        if urlsplit(url).port == port:
            return Finding(field, CheckState.OK, f"{port} is that of the platform which runs on this home")
    cure = (
        f"`mlmini up` cannot start there: stop that platform, or set {PREFIX}{field.upper()} to a free port."
        if field in settings.model_fields_set
        else f"`mlmini up` takes one of the next ports; {PREFIX}{field.upper()} names another."
    )
    return Finding(
        field, CheckState.NOTE, f"{port} is held by a platform that `mlmini up` did not start on this home", cure
    )


def _is_platform(url: str, path: str) -> bool:
    try:
        answer = ask(url, path)
    except (TimeoutError, http.client.HTTPException):
        return False
    # Flower's answer is no document.
    return answer is not None and (answer.release is not None if path == "/version" else answer.status == 200)
