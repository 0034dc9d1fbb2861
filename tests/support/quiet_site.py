"""Another site on this machine, whose pages a browser may be on."""

from http.server import SimpleHTTPRequestHandler


class QuietSite(SimpleHTTPRequestHandler):
    """A site of files, which writes no log."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""
