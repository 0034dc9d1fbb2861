"""Environments of their own for what is measured beside the platform and is not installed with it."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"
# Where they are; the first run makes them, which takes minutes.
ENVIRONMENTS = Path(".bench")


@dataclass(frozen=True)
class Environment:
    """An environment, and what is installed there."""

    name: str
    packages: tuple[str, ...]

    @property
    def binaries(self) -> Path:
        """The programs of it, which is made if it is not there."""
        folder = ENVIRONMENTS / self.name
        if not (folder / "made").exists():
            subprocess.run(["uv", "venv", "--quiet", "--clear", "--python", "3.11", folder], check=True)
            python = folder / "bin" / "python"
            subprocess.run(["uv", "pip", "install", "--quiet", "--python", python, *self.packages], check=True)
            (folder / "made").touch()
        return folder.absolute() / "bin"

    def run(self, *arguments: str | Path) -> str:
        """Run a Python program in it, and return what it prints."""
        command = [self.binaries / "python", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
