"""What a first start has left, without the time that one takes."""

import shutil
from pathlib import Path

from shared.registry.sealing import load_artifact_key
from shared.settings import Settings


def home_of_a_start(folder: Path, sqlite_template: Path) -> Path:
    """A home folder in the folder, with the tables of this release and a key."""
    home = folder / "home"
    home.mkdir(mode=0o700)
    shutil.copyfile(sqlite_template, home / "ml_registry.db")
    load_artifact_key(Settings(home=home))
    return home
