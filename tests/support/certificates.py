"""Certificates for servers on loopback, made by the program `openssl`."""

import subprocess
from pathlib import Path
from typing import NamedTuple


class Pair(NamedTuple):
    """A certificate and its key."""

    certificate: Path
    key: Path


def openssl(*words: str) -> None:
    """Run the program, which has to do what it is told."""
    subprocess.run(["openssl", *words], check=True, capture_output=True)


def made(folder: Path, name: str) -> Pair:
    """A certificate that is its own authority."""
    pair = Pair(folder / f"{name}.pem", folder / f"{name}.key")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-keyout", str(pair.key))
    names = ("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    openssl("req", "-x509", *key, "-out", str(pair.certificate), "-days", "2", "-subj", f"/CN={name}", *names)
    return pair
