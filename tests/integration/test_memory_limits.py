"""Under a hard limit of the system on the address space of processes, as `ulimit -v` sets it for good."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.support.processes import environment, run
from tests.support.tables import IRIS, parquet

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the address space")

ROOT = Path(__file__).parents[2]
ENOUGH_MIB, TOO_LITTLE_MIB = 900, 300
# With too little memory, a fork server fails while it imports, or sometimes hangs until the time for its start is over.
# The script starts three of them, so that each gets less time here.
START_SECONDS, SECONDS = 35, 150

SCRIPT = """
import json, resource, sys
from pathlib import Path
limit, seconds = int(sys.argv[1]) * 2**20, int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
from cli.doctor.machine import check_memory
from shared.tables.reader import Reader
from shared.errors import PlatformError
from shared.sandbox import client
from shared.settings import Settings

client._START_SECONDS = seconds
said = []
reader = Reader(Settings(home=Path(sys.argv[3])))
for act in (reader.check, *(lambda path=path: reader.inspect(Path(path)).rows for path in sys.argv[4:])):
    try:
        said.append(str(act()))
    except PlatformError as error:
        said.append(f"{error.code} {error.detail}")
reader.close()
said.append(str(check_memory("Reader memory", "shared.tables.inspection:main", 2048, "MLMINI_READER_MEMORY_MB")))
print("\\n" + json.dumps(said))
"""


def said_under(limit: int, home: Path, *files: Path) -> list[str]:
    """What the check of the reader, each file and the doctor say under a limit in MiB."""
    command = [sys.executable, "-c", textwrap.dedent(SCRIPT), *map(str, [limit, START_SECONDS, home, *files])]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=SECONDS)
    said: list[str] = json.loads(done.stdout.splitlines()[-1])
    return said


def test_a_reader_works_with_the_memory_that_the_system_leaves_it_and_tells_the_limit(tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes(parquet({"a": ["x" * 2**19] * 2048}))
    checked, rows, refused, examined = said_under(ENOUGH_MIB, tmp_path / "home", IRIS, large)
    assert rows == "150"
    assert checked.startswith("reader_unavailable Reading files may use ")
    assert "ulimit -v" in checked
    assert "MLMINI_READER_MEMORY_MB is 2,048" in checked
    assert refused.startswith("table_too_large")
    assert "the system's limit of address space" in refused
    assert "2,048" not in refused
    assert "State.NOTE" in examined
    assert "ulimit -v" in examined


def test_a_limit_under_which_no_reader_starts_is_named(tmp_path: Path) -> None:
    checked, refused, examined = said_under(TOO_LITTLE_MIB, tmp_path / "home", IRIS)
    for sentence in (checked, refused):
        assert sentence.startswith("reader_unavailable The system limits the address space of a process to 300 MiB")
    assert "State.BROKEN" in examined


@pytest.mark.thorough
def test_a_worker_whose_computations_cannot_start_under_the_limit_refuses_to_start(
    tmp_path: Path, valkey_url: str
) -> None:
    variables = {"MLMINI_HOME": str(tmp_path / "home"), "MLMINI_REDIS_URL": valkey_url}
    assert run("cli.launcher.prepare", variables=variables).returncode == 0
    # Enough for the worker itself, too little for the libraries of a training.
    command = ["bash", "-c", 'ulimit -v 500000; exec "$0" -m worker', sys.executable]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(variables), capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert done.returncode == 1
    refused = next(line for line in done.stderr.splitlines() if "start_refused" in line)
    assert "ulimit -v" in refused
