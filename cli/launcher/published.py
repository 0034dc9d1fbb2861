"""The addresses that a running platform leaves in its home folder, where the command line finds them."""

import json
import os
from contextlib import suppress
from pathlib import Path

from shared.regular_file import open_regular

NAME = "addresses.json"


def publish(home: Path, addresses: dict[str, str]) -> None:
    """Write the addresses, all of them or none."""
    draft = home / f"{NAME}.new"
    with os.fdopen(open_regular(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "w") as file:
        json.dump(addresses, file)
    draft.replace(home / NAME)


def withdraw(home: Path) -> None:
    """Remove them. There may be none, or those of a platform that was killed."""
    (home / NAME).unlink(missing_ok=True)


def published(home: Path) -> dict[str, str]:
    """The addresses by part: `api` and `flower`. Empty when no platform runs on this home."""
    with suppress(OSError, ValueError):
        with os.fdopen(open_regular(home / NAME)) as file:
            found = json.load(file)
        if isinstance(found, dict):
            return {name: url for name, url in found.items() if isinstance(url, str)}
    return {}


def home_folder() -> Path:
    """The home folder as the settings have it. Importing the settings would take too long here."""
    return Path(os.environ.get("MLMINI_HOME") or ".mlmini").absolute()
