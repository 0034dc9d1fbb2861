"""One request to the API as data, which can be sent or written as a curl command."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

# How many seconds to wait for an answer that should come at once.
READ_SECONDS = 60
# The longest line of a body that is shown.
_LINE = 76


@dataclass(frozen=True)
class Call:
    """What to send. `repeatable`: sending it twice does no more than sending it once."""

    method: str
    path: str
    query: Mapping[str, str | int | float] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    file: Path | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    repeatable: bool = True
    read_seconds: float = READ_SECONDS

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{urlencode(self.query, safe=',')}" if self.query else self.path

    @property
    def content(self) -> bytes | None:
        """The body as it is sent."""
        if self.body is None:
            return None
        text = json.dumps(self.body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        # An argument may hold bytes that are not Unicode. They become JSON escapes, so that the API decides about them.
        return text.encode(errors="backslashreplace")

    def as_curl(self, url: str) -> str:
        """The same as a command for a shell."""
        # What curl does unless it is told: what has a body is sent by POST.
        implied = "GET" if self.body is None and self.file is None else "POST"
        method = "" if self.method == implied else f"-X {self.method} "
        lines = [f"curl -s {method}{shlex.quote(url + self.target)}"]
        lines += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in self.headers.items()]
        if self.body is not None:
            lines.append("-H 'Content-Type: application/json'")
            lines.append("-d " + shlex.quote(_readable(self.body)))
        elif self.file is not None:
            lines.append("-F " + shlex.quote(f"file=@{self.file}"))
            # Unlike -F, this takes a value that begins with @ or < as it is.
            lines += [f"--form-string {shlex.quote(f'{name}={value}')}" for name, value in self.fields.items()]
        return " \\\n  ".join(lines)


def _readable(value: Any, indent: str = "    ") -> str:
    """JSON on as few lines as keep each of them short."""
    flat = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(flat) <= _LINE or not isinstance(value, dict | list):
        return flat
    inner = indent + "  "
    if isinstance(value, list):
        return f"[\n{indent}{_filled([_readable(part, inner) for part in value], indent)}]"
    parts = [f"{json.dumps(name, ensure_ascii=False)}: {_readable(part, inner)}" for name, part in value.items()]
    return f"{{\n{indent}{_filled(parts, indent)}}}"


def _filled(parts: list[str], indent: str) -> str:
    """Parts with commas between, and with line breaks where a line would become too long."""
    lines = [parts[0]]
    for part in parts[1:]:
        together = f"{lines[-1]}, {part}"
        if "\n" in together or len(indent) + len(together) > _LINE:
            lines.append(part)
        else:
            lines[-1] = together
    return f",\n{indent}".join(lines)
