"""Swagger UI as a person uses it: operations are opened, fields filled in, buttons clicked, answers read."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import ConsoleMessage, Locator, Page, expect

# Background work may take its time on a busy machine.
ANSWER_MILLISECONDS = 60_000
# Swagger UI says this of every deep link with an underscore in it, and opens it all the same.
_KNOWN_NOISE = "Deprecated: escaping deep link whitespace"


class SwaggerPage:
    """The docs in one tab."""

    def __init__(self, page: Page, url: str) -> None:
        """Open the page; `errors` collects what the browser complains of from then on."""
        self.page = page
        self.errors: list[str] = []
        self._operation = page.locator("body")
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.goto(url)
        page.locator(".opblock").first.wait_for()

    @contextmanager
    def opened(self, tag: str, operation: str) -> Iterator[Locator]:
        """Unfold an operation by a click on its line; everything within the block happens in it."""
        self._operation = self.page.locator(f"#operations-{tag}-{operation}")
        line = self._operation.locator(".opblock-summary-control")
        line.click()
        expect(self._operation.locator("button.execute")).to_be_visible()
        yield self._operation
        line.click()
        expect(self._operation.locator(".opblock-body")).to_have_count(0)

    def choose(self, example: str) -> None:
        """Pick a named example of the request body."""
        self._operation.locator(".opblock-section-request-body .examples-select-element").select_option(example)

    def write(self, body: dict[str, Any]) -> None:
        """Write a request body."""
        self._operation.locator("textarea.body-param__text").fill(json.dumps(body))

    def body(self) -> Any:
        """What the request body has in it."""
        return json.loads(self._operation.locator("textarea.body-param__text").input_value())

    def value(self, parameter: str) -> str:
        """What is in the field of a parameter."""
        return self._operation.locator(f'tr[data-param-name="{parameter}"] input').input_value()

    def fill(self, parameter: str, value: str) -> None:
        """Write into the field of a parameter."""
        self._operation.locator(f'tr[data-param-name="{parameter}"] input').fill(value)

    def attach(self, file: Path) -> None:
        """Give a file to the file chooser."""
        with self.page.expect_file_chooser() as chooser:
            self._operation.locator('input[type="file"]').click()
        chooser.value.set_files(file)

    def execute(self, *, status: int | None = None) -> Any:
        """Click on Execute and return the JSON that the page shows, after a look at the status that it shows."""
        if self._operation.locator("button.btn-clear").count():
            # The answer of the last time must not be taken for this one.
            self._operation.locator("button.btn-clear").click()
        self._operation.locator("button.execute").click()
        answer = self._operation.locator(".live-responses-table tbody")
        shown = answer.locator(".response-col_status").first
        expect(shown).to_be_visible(timeout=ANSWER_MILLISECONDS)
        if status is not None:
            expect(shown).to_have_text(str(status))
        return json.loads(answer.locator(".response-col_description pre").first.inner_text())

    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        width: int = self.page.evaluate("Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)")
        return max(0, width - int(self.page.evaluate("window.innerWidth")))

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(_KNOWN_NOISE):
            self.errors.append(message.text)
