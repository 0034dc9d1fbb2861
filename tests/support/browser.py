"""A real browser with the network cut: its pages reach the platform and nothing else."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Route, expect, sync_playwright

# A name of the web that somebody has lead to this machine.
REBOUND = "rebound.example"

_NAMES = ("chromium", "chromium-browser", "google-chrome")

# A busy machine shows things late.
expect.set_options(timeout=30_000)


def find_chromium() -> str | None:
    """The path of a Chromium that is installed, if there is one."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


class Strayed(AssertionError):
    """A page asked for something that is not the platform's."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser; it can be started where `find_chromium` finds one."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(),
            # Tests may run as root in a container, where Chromium's own sandbox and /dev/shm are of no use; nothing but
            # our page is shown. The last but one keeps the browser itself from calling home.
            args=[
                "--no-sandbox",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1",
            ],
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def browsing(browser: Browser, url: str, *, width: int = 1400) -> Iterator[BrowserContext]:
    """A fresh profile whose pages reach the origin of `url` only.

    Raises:
        Strayed: at the end, when a page tried to reach anything else.
    """
    origin = urlsplit(url)._replace(path="", query="", fragment="").geturl()
    strayed: list[str] = []

    def guard(route: Route) -> None:
        asked = route.request.url
        if asked.startswith((f"{origin}/", "data:", "blob:")):
            route.continue_()
        else:
            strayed.append(asked)
            route.abort()

    context = browser.new_context(viewport={"width": width, "height": 1000})
    try:
        context.route("**/*", guard)
        yield context
    finally:
        context.close()
    if strayed:
        raise Strayed(strayed)
