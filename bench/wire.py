"""Load by `wrk` (a Debian package), whose one thread asks faster than the servers here answer, and what it measured."""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}


class Measured(NamedTuple):
    """Answers in a second, and the times in seconds by which half and 99 % of them had come."""

    rate: float
    half: float
    most: float


def ask(
    url: str,
    body: dict[str, Any],
    *,
    connections: int,
    seconds: int,
    core: int,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Measured:
    """Post the body to the address, on one core, as often as the connections manage; with further headers, if given.

    Raises:
        SystemExit: when wrk is not there, or an answer is not 200.
    """
    if shutil.which("wrk") is None:
        raise SystemExit("This needs wrk: `apt-get install wrk`.")
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "post.lua"
        script.write_text(
            f'wrk.method = "POST"\nwrk.body = {json.dumps(json.dumps(body))}\n'
            'wrk.headers["Content-Type"] = "application/json"\n'
            + "".join(f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}\n" for name, value in headers.items())
        )
        command = ["taskset", "-c", str(core), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
        said = subprocess.run([*command, "-s", str(script), url], check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise SystemExit(f"{url}:\n{said}")
    rate = float(re.findall(r"Requests/sec:\s+([\d.]+)", said)[0])
    return Measured(rate, _seconds("50%", said), _seconds("99%", said))


def _seconds(share: str, said: str) -> float:
    number, unit = re.findall(rf"{share}\s+([\d.]+)(us|ms|s)", said)[0]
    return float(number) * _UNITS[unit]
