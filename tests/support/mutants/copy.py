"""A copy of the project in a temporary folder. One file of it at a time is a mutant; the work tree stays as it is."""

import hashlib
import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_OWN = Path("tests/support/mutants")
# A file that is written twice in a second has the same time and often the same size: Python would take the compiled
# one for that of the other.
_TIMES = itertools.count(1_000_000_000)


class Copy:
    """The files of a project that git knows or would add, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "tree"
        self.scratch = folder / "tmp"

    def fill(self, project: Path) -> None:
        """Copy the project as it is now."""
        listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        names = subprocess.run(listed, cwd=project, capture_output=True, text=True, check=True).stdout.split("\0")
        for name in filter(None, names):
            if (project / name).is_file():
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(project / name, self.root / name)
        self.empty_scratch()

    def empty_scratch(self) -> None:
        """Delete what tests left in their temporary folder."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir(exist_ok=True)
        # Servers that run as another user have their folders in it.
        for folder in (self.folder, self.scratch):
            folder.chmod(0o755)

    @contextmanager
    def with_file(self, path: str, text: str) -> Iterator[None]:
        """For the block, a file has another text."""
        file = self.root / path
        before = file.read_text()
        try:
            self._write(file, text)
            yield
        finally:
            self._write(file, before)

    def digest(self, path: str) -> str:
        """A fingerprint of a file, or of all Python files of a folder."""
        place = self.root / path
        files = (
            [place]
            if place.is_file()
            else sorted(file for file in place.rglob("*.py") if self.root / _OWN not in file.parents)
        )
        found = hashlib.sha256()
        for file in files:
            if self.root / _OWN in file.parents:
                continue
            found.update(str(file.relative_to(self.root)).encode() + b"\0" + file.read_bytes() + b"\0")
        return found.hexdigest()

    @staticmethod
    def _write(file: Path, text: str) -> None:
        file.write_text(text)
        moment = next(_TIMES)
        os.utime(file, (moment, moment))


@contextmanager
def copied(project: Path) -> Iterator[Copy]:
    """A copy for the block; nothing of it is left behind."""
    with tempfile.TemporaryDirectory(prefix="mutants-", ignore_cleanup_errors=True) as folder:
        copy = Copy(Path(folder))
        copy.fill(project)
        yield copy
