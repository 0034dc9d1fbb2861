"""An entry of the sandbox whose import takes long."""

import time
from pathlib import Path

time.sleep(30)


def main(_folder: Path) -> None:
    """Do nothing."""
