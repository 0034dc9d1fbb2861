"""Flower, which answers to the names of the platform only: `python -m worker.flower flower --port=5555`."""

from typing import Any

from flower import app, command
from flower.__main__ import main
from tornado.httputil import HTTPServerRequest
from tornado.web import ErrorHandler

from shared.hosts import known_names, name_of
from shared.settings import load_settings

_MISDIRECTED = 421


class Flower(app.Flower):  # type: ignore[misc]  # it has no types
    """Refuses requests to names that are not the platform's own; see `shared.hosts`."""

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        """Choose what answers a request."""
        hosts = request.headers.get_list("Host")
        if len(hosts) == 1 and name_of(hosts[0]) in self.settings["names"]:
            return super().find_handler(request, **kwargs)
        return self.get_handler_delegate(request, ErrorHandler, {"status_code": _MISDIRECTED})


if __name__ == "__main__":
    # Flower's command line needs these two.
    command.settings["names"] = known_names(host="127.0.0.1", allowed=load_settings().allowed_hosts)
    command.Flower = Flower
    main()
