"""A look at folders in which others work meanwhile."""

import os
from contextlib import suppress
from pathlib import Path


def below(folder: Path) -> dict[Path, os.stat_result]:
    """All files and folders below a folder; what somebody deletes during the look is not there."""
    found: dict[Path, os.stat_result] = {}
    for parent, folders, files in os.walk(folder):
        for path in (Path(parent, name) for name in (*folders, *files)):
            with suppress(FileNotFoundError):
                found[path] = path.stat()
    return found
