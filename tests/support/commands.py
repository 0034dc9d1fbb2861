"""Runs the commands of a document as a reader would: one block after the other, in one shell, in an empty folder."""

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from shared.settings import PREFIX
from tests.support.documented import Block

# As the documents write it: a platform with nothing set listens there.
DEFAULT_URL = "http://127.0.0.1:8000"
SECONDS = 300

# What no command of a document may show: an error of the API, a job that ended badly, a fault of a program.
_BAD = re.compile(r'"type": ?"/errors/|"status": ?"(?:failed|cancelled|quarantined)"|^Traceback ', re.MULTILINE)
# An error status is a failed command, and no proxy stands before the platform.
_CURLRC = "fail-with-body\nshow-error\nnoproxy = *\nmax-time = 60\n"


class Failed(AssertionError):
    """A command failed, or showed what it must not; the message has all that was shown."""


def run_blocks(
    blocks: Iterable[Block],
    *,
    folder: Path,
    url: str = DEFAULT_URL,
    home: Path | None = None,
    cwd: Path | None = None,
    variables: Mapping[str, str] | None = None,
) -> str:
    """Run the blocks in `folder`, or in `cwd`, against the platform at `url` whose home is `home`; what they showed.

    `variables` are the settings that the reader's shell has, and whatever else is in its environment.

    Raises:
        Failed: at the first command that fails, and when something bad is shown.
    """
    user = folder / "user"
    user.mkdir(exist_ok=True)
    (user / ".curlrc").write_text(_CURLRC)
    script = "".join(f"printf '\\n== %s\\n' {block.place}\n{block.text}" for block in blocks)
    kept = {name: value for name, value in os.environ.items() if not name.startswith((PREFIX, "PYTEST_"))}
    own = {
        "HOME": str(user),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "NO_COLOR": "1",
    }
    if home is not None:
        # Where the command line finds the platform; a reader has it in the folder where `make run` was called.
        own[f"{PREFIX}HOME"] = str(home)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script.replace(DEFAULT_URL, url)],
        cwd=cwd or folder,
        env=kept | own | dict(variables or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    if done.returncode:
        raise Failed(f"status {done.returncode} in the last block of:\n{done.stdout}")
    if bad := _BAD.search(done.stdout):
        raise Failed(f"{bad[0]!r} was shown:\n{done.stdout}")
    return done.stdout
