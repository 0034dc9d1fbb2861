"""The search of parameters that options ask for."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cli.client.errors import WrongUsage

_FORM = 'It is an object by parameter, such as {"max_depth": [2, 4, 8]}'


def search_asked(said: Mapping[str, Any], seconds: float | None) -> dict[str, Any] | None:
    """The search of a request; None without one. `seconds` is its time.

    Raises:
        WrongUsage: when there are options of a search without one, or the space is no JSON.
    """
    given = {name: value for name, value in said.items() if value is not None}
    method = given.pop("search", None)
    if method is None:
        if given:
            raise WrongUsage(f"--{next(iter(given))} is for a search. Name its method, such as --search random.")
        return None
    if "space" in given:
        given["space"] = _read_space(given["space"])
    return {"method": method, **given, **({} if seconds is None else {"time_limit": seconds})}


def _read_space(text: str) -> Any:
    """JSON, or a file of it."""
    written = text
    if not text.lstrip().startswith("{"):
        try:
            written = Path(text).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise WrongUsage(f"--space: '{text}' cannot be read: {error}. It is the name of a file, or JSON.") from None
    try:
        return json.loads(written)
    except ValueError as error:
        raise WrongUsage(f"--space is not JSON: {error}. {_FORM}.") from None
