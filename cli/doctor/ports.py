"""The ports that the platform listens on: free, its own already, or somebody else's."""

import http.client

from cli.doctor.asking import ask
from cli.doctor.finding import Finding, State
from shared.listening import is_about_the_host, listen, listen_fault
from shared.settings import PREFIX, Settings

_WORST_FIRST = (State.BROKEN, State.NOTE, State.OK)


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
            return Finding(field, State.BROKEN, f"{port} cannot be used", listen_fault(host, port, error))
        if _is_ours(f"http://{f'[{host}]' if ':' in host else host}:{port}", path):
            return Finding(field, State.OK, f"{port} is that of a platform which runs")
        if field in settings.model_fields_set:
            cure = f"Stop what listens there, or set {variable} to a free port."
            return Finding(field, State.BROKEN, f"{port} cannot be used ({error.strerror})", cure)
        cure = f"`mlmini up` takes one of the next ports; {variable} names another."
        return Finding(field, State.NOTE, f"{port} is taken by something else", cure)
    return Finding(field, State.OK, f"{port} is free")


def _is_ours(url: str, path: str) -> bool:
    try:
        answer = ask(url, path)
    except (TimeoutError, http.client.HTTPException):
        return False
    # Flower's answer is no document.
    return answer is not None and (answer.release is not None if path == "/version" else answer.status == 200)
