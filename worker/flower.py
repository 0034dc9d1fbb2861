"""Flower, which answers to the names of the platform only: `python -m worker.flower flower --port=5555`.

Where MLMINI_FLOWER_PASSWORD_FILE names a file with a password, it asks for that, whatever the name beside it. Without
one it is for this machine, unless MLMINI_ALLOW_OPEN says more.
"""

import hmac
import os
import sys
from base64 import b64decode
from typing import Any

from flower import app, command
from flower.__main__ import main
from tornado.httputil import HTTPServerRequest
from tornado.web import ErrorHandler, RequestHandler

from shared.accounts.openness import may_be_open
from shared.accounts.password_file import password_of_file
from shared.accounts.passwords import checked_password
from shared.errors import WeakPassword, WrongSettings
from shared.hosts import known_names, name_of
from shared.redis_access import redis_url
from shared.settings import Settings, load_settings

_MISDIRECTED = 421
_VARIABLE = "MLMINI_FLOWER_PASSWORD_FILE"
# What tells whether it runs, and nothing else.
_OPEN = "/healthcheck"


class PasswordNeeded(RequestHandler):
    """Has a browser ask for the password."""

    def prepare(self) -> None:
        """Answer, whatever the method."""
        self.set_status(401)
        self.set_header("WWW-Authenticate", 'Basic realm="Flower", charset="UTF-8"')
        self.finish("Flower asks for the password of MLMINI_FLOWER_PASSWORD_FILE. Any name may stand beside it.\n")


class Flower(app.Flower):  # type: ignore[misc]  # it has no types
    """Refuses requests to names that are not the platform's own; see `shared.hosts`."""

    # Not among its settings, which it writes into its log when it is to tell much.
    password: str | None = None
    given: Settings

    def start_http_server(self) -> Any:
        """Listen, unless others could look without being asked for anything."""
        host = self.options.address
        if self.password is None and not self.options.unix_socket and not may_be_open(self.given, host):
            sys.exit(
                f"Flower cannot start: on {host or 'all addresses'}, others could look at all jobs without a password. "
                f"Let {_VARIABLE} name a file with one, or have it listen on 127.0.0.1."
            )
        return super().start_http_server()

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        """Choose what answers a request."""
        hosts = request.headers.get_list("Host")
        if len(hosts) != 1 or name_of(hosts[0]) not in self.settings["names"]:
            return self.get_handler_delegate(request, ErrorHandler, {"status_code": _MISDIRECTED})
        if self.password is not None and request.path != _OPEN and not _brings(request, self.password):
            return self.get_handler_delegate(request, PasswordNeeded)
        return super().find_handler(request, **kwargs)


def _brings(request: HTTPServerRequest, password: str) -> bool:
    given = request.headers.get_list("Authorization")
    scheme, _, credentials = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    if scheme.lower() != "basic":
        return False
    try:
        found = b64decode(credentials, validate=True).partition(b":")[2]
    except ValueError:
        return False
    return hmac.compare_digest(found, password.encode())


def _password(settings: Settings) -> str | None:
    file = settings.flower_password_file
    if file is None:
        return None
    try:
        return checked_password(password_of_file(file, called=_VARIABLE), name="flower")
    except WeakPassword as error:
        raise WrongSettings(f"{_VARIABLE}: {error.detail}") from None


if __name__ == "__main__":
    # Flower's command line needs these.
    try:
        found = load_settings()
        if "redis_url" in found.model_fields_set:
            # Where Celery looks for it. What starts this process gave it, or the name of a file with it.
            os.environ["CELERY_BROKER_URL"] = redis_url(found)
        command.settings["names"] = known_names(host="127.0.0.1", allowed=found.allowed_hosts)
        Flower.given = found
        Flower.password = _password(found)
    except WrongSettings as wrong:
        sys.exit(wrong.detail)
    command.Flower = Flower
    main()
