"""One connection of a client: what the server's own protocol leaves open."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class Connection(HttpToolsProtocol):
    """Speaks HTTP with one client."""

    def on_headers_complete(self) -> None:
        """A whole head is there."""
        if not self.url.startswith(b"/"):
            self._add_host_of_target()
        super().on_headers_complete()

    def _add_host_of_target(self) -> None:
        """Keep the host of a target such as `http://host/path`, which else is lost; it has to be that of the header."""
        _, _, rest = self.url.partition(b"://")
        host = rest.partition(b"/")[0]
        if rest and [value for name, value in self.headers if name == b"host"] != [host]:
            self.headers.append((b"host", host))
