"""Lines of the access log, as several processes write them into one pipe."""

import asyncio
import json
import logging
import os
import sys

from api.http.access_lines import AccessLines

LINES = 3_000


def write_lines(number: int, descriptor: int) -> None:
    """What each process does."""

    async def add() -> None:
        lines = AccessLines("tests.pipe")
        for _ in range(LINES):
            lines.add(request_id=f"{number}" * 36, client="ü", method="POST", path="/p" * 40, status=200, seconds=0.1)
        lines.write()

    with os.fdopen(descriptor, "w") as sys.stderr:
        asyncio.run(add())


def test_lines_of_several_processes_do_not_mix_in_a_pipe() -> None:
    logging.getLogger("tests.pipe").setLevel(logging.INFO)
    reading, writing = os.pipe()
    pids = []
    for number in range(3):
        if not (pid := os.fork()):
            # Whatever happens, it does not go on as the test.
            try:
                os.close(reading)
                write_lines(number, writing)
            finally:
                os._exit(0)
        pids.append(pid)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        found = [json.loads(line)["request_id"] for line in pipe]
    for pid in pids:
        os.waitpid(pid, 0)
    assert {given: found.count(given) for given in set(found)} == {f"{number}" * 36: LINES for number in range(3)}
