"""A bill of materials for each lock that is shipped: CycloneDX, with licences and with the hashes of the lock."""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.support.supply.licences import INSTALLED, Policy, licence_of, read_policy
from tests.support.supply.pins import ROOT, Pin, read_pins

TOOLS = ROOT / ".venv-audit" / "bin"
FOLDER = ROOT / "build" / "sbom"
# The newest that cyclonedx-bom writes.
SPEC = "1.7"
# Where the images run, and what development has. Pins for other places are in the locks, and in no document.
_HERE = {"sys_platform": "linux"}
_VALIDATE = """
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
found = JsonStrictValidator(SchemaVersion.from_version(sys.argv[1])).validate_str(sys.stdin.read())
sys.exit(str(found) if found else 0)
"""


class NoBill(Exception):
    """What keeps a document from being made, as a sentence."""


def write_bills(*, folder: Path = FOLDER, tools: Path = TOOLS) -> list[Path]:
    """Write a document for each lock, valid by the schema; the same each time while the locks are the same.

    Raises:
        NoBill: when a tool fails, or a pinned package is not what is installed.
    """
    described = _described(tools)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for lock in INSTALLED:
        bill = bill_of(lock, read_pins(lock), described, read_policy())
        text = json.dumps(bill, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        checked = _run([str(tools / "python"), "-c", _VALIDATE, SPEC], said=text)
        if checked.returncode:
            raise NoBill(f"The document of {lock} is not valid: {checked.stderr.strip()}")
        (folder / f"{lock}.cdx.json").write_text(text, encoding="utf-8")
        written.append(folder / f"{lock}.cdx.json")
    return written


def bill_of(lock: str, pins: Iterable[Pin], described: dict[str, Any], policy: Policy) -> dict[str, Any]:
    """The part of a description of the whole environment that is of one lock, with what the lock knows.

    Raises:
        NoBill: for a pinned package that is not installed, or in another version.
    """
    here = {pin.name: pin for pin in pins if pin.is_for(**_HERE)}
    there = {_name(component): component for component in described["components"]}
    missing = [f"{pin.name} {pin.version}" for pin in here.values() if not _is_installed(pin, there)]
    if missing:
        raise NoBill(f"{', '.join(missing)} of requirements/{lock}.txt is not installed: run `make dev`.")
    components = [_component(there[name], pin, policy) for name, pin in sorted(here.items())]
    refs = {component["bom-ref"] for component in components}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    root = {
        "bom-ref": "root",
        "type": "application",
        "name": project["name"],
        "version": project["version"],
        "licenses": [{"expression": project["license"]}],
        "properties": [{"name": "mlmini:lock", "value": lock}],
    }
    inner = [
        {"ref": each["ref"], "dependsOn": sorted(set(each.get("dependsOn", ())) & refs)}
        for each in described["dependencies"]
        if each["ref"] in refs
    ]
    return {
        "$schema": f"http://cyclonedx.org/schema/bom-{SPEC}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SPEC,
        "version": 1,
        "metadata": {"component": root},
        "components": components,
        "dependencies": [{"ref": "root", "dependsOn": sorted(refs)}, *sorted(inner, key=lambda each: str(each["ref"]))],
    }


def _described(tools: Path) -> dict[str, Any]:
    """What cyclonedx-bom says of all that is installed in this environment."""
    options = ["--spec-version", SPEC, "--output-reproducible", "--output-format", "JSON", "--output-file", "-"]
    done = _run([str(tools / "cyclonedx-py"), "environment", *options, sys.executable])
    if done.returncode:
        raise NoBill(f"cyclonedx-bom failed: {done.stderr.strip()}")
    described: dict[str, Any] = json.loads(done.stdout)
    return described


def _component(described: dict[str, Any], pin: Pin, policy: Policy) -> dict[str, Any]:
    purl = f"pkg:pypi/{pin.name}@{pin.version}"
    hashes = [{"alg": "SHA-256", "content": digest} for digest in sorted(pin.hashes)]
    files = [{"type": "distribution", "url": purl, "comment": "any file that the lock allows", "hashes": hashes}]
    return {
        "bom-ref": described["bom-ref"],
        "type": "library",
        "name": pin.name,
        "version": pin.version,
        "purl": purl,
        "description": described.get("description", ""),
        "licenses": [{"expression": licence_of(pin, policy)}],
        "externalReferences": files,
    }


def _is_installed(pin: Pin, there: dict[str, dict[str, Any]]) -> bool:
    return pin.name in there and there[pin.name]["version"] == pin.version


def _name(component: dict[str, Any]) -> str:
    name: str = component["name"].lower().replace("_", "-").replace(".", "-")
    return name


def _run(command: list[str], said: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, input=said, capture_output=True, text=True, check=False, timeout=300)
