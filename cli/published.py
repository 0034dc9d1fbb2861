"""The addresses that a running platform leaves in its home folder, where the command line finds them."""

import json
import os
from contextlib import suppress
from pathlib import Path

NAME = "addresses.json"


def publish(home: Path, addresses: dict[str, str]) -> None:
    """Leave the addresses: all of them at once, or none."""
    draft = home / f"{NAME}.new"
    draft.write_text(json.dumps(addresses))
    draft.replace(home / NAME)


def withdraw(home: Path) -> None:
    """Take them away; there may be none, or those of a platform that was killed."""
    (home / NAME).unlink(missing_ok=True)


def published(home: Path) -> dict[str, str]:
    """The addresses by part: `api` and `flower`. None of them when no platform runs on this home."""
    with suppress(OSError, ValueError):
        found = json.loads((home / NAME).read_text())
        if isinstance(found, dict):
            return {name: url for name, url in found.items() if isinstance(url, str)}
    return {}


def home_folder() -> Path:
    """The home folder as the settings have it, without the time that importing those takes."""
    return Path(os.environ.get("MLMINI_HOME") or ".mlmini").absolute()
