"""Pins and licences, the bill of materials, and the audit, which asks a program that is made up here."""

import json
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from tests.support.supply import __main__ as command
from tests.support.supply import audit, licences, sbom
from tests.support.supply.audit import Finding, audited
from tests.support.supply.licences import INSTALLED, Library, Policy, licence_of, read_policy
from tests.support.supply.pins import LOCKS, ROOT, Pin, read_pins
from tests.support.supply.sbom import NoBill, bill_of

POLICY = Policy({}, frozenset({"MIT", "BSD-3-Clause"}), {"LGPL-3.0-only": "For a reason."})
LOCK = """one==1.0 ; sys_platform == 'linux' \\
    --hash=sha256:{0} \\
    --hash=sha256:{1}
    # via two
two[extra]==2.0 \\
    --hash=sha256:{1}
three==3.0 ; sys_platform == 'win32' \\
    --hash=sha256:{0}
""".format("0" * 64, "1" * 64)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one lock, `own`."""
    (tmp_path / "own.txt").write_text(LOCK)
    return tmp_path


def test_pins_are_read_with_their_hashes_and_their_places(folder: Path) -> None:
    one, two, three = read_pins("own", folder)
    assert (one.name, one.version, one.hashes) == ("one", "1.0", ("0" * 64, "1" * 64))
    assert (two.name, two.version, two.hashes) == ("two", "2.0", ("1" * 64,))
    assert [pin.is_for(sys_platform="linux") for pin in (one, two, three)] == [True, True, False]


@pytest.mark.asvs("15.1.2")
def test_the_page_lists_every_library_that_may_be_installed_with_a_licence_that_was_decided_on() -> None:
    policy, told = read_policy(), licences.read_page(licences.PAGE.read_text(encoding="utf-8"))
    hint = "`python -m tests.support.supply licences` makes it anew"
    pins = {(pin.name, pin.version): pin for lock in INSTALLED for pin in read_pins(lock)}
    assert len(pins) > 100
    assert told.keys() == pins.keys(), hint
    rows = [Library(name, number, licence, ()) for (name, number), licence in told.items()]
    assert licences.unsuitable(rows, policy) == []
    for key, pin in pins.items():
        if pin.name in policy.looked_up or is_installed(pin):
            assert told[key] == licence_of(pin, policy), hint


def test_every_lock_that_is_installed_to_run_is_looked_at() -> None:
    others = {"audit", "clients", "dev", "kserve", "uv"}
    assert {path.stem for path in LOCKS.glob("*.txt")} == {*INSTALLED} | others
    assert set(audit.AUDITED) == others


@pytest.mark.parametrize("lock", INSTALLED)
def test_what_is_audited_contains_every_other_lock(lock: str) -> None:
    everything = {(pin.name, pin.version) for each in audit.AUDITED for pin in read_pins(each)}
    assert {(pin.name, pin.version) for pin in read_pins(lock)} <= everything


def is_installed(pin: Pin) -> bool:
    try:
        return version(pin.name) == pin.version
    except PackageNotFoundError:
        return False


@pytest.mark.parametrize("licence", ["GPL-3.0-only", "AGPL-3.0-or-later", "MIT AND GPL-2.0-only", "unknown", "Mine"])
def test_a_licence_that_nobody_decided_on_is_named(licence: str) -> None:
    (said,) = licences.unsuitable([Library("one", "1.0", licence, ())], POLICY)
    assert said.startswith(f"one 1.0 is under {licence}: ")


@pytest.mark.parametrize("licence", ["MIT", "(MIT OR BSD-3-Clause)", "MIT AND LGPL-3.0-only"])
def test_a_licence_that_was_decided_on_is_taken(licence: str) -> None:
    assert licences.unsuitable([Library("one", "1.0", licence, ())], POLICY) == []


def test_what_a_package_does_not_say_is_looked_up_or_unknown() -> None:
    (pin,) = (pin for pin in read_pins("run") if pin.name == "sqlalchemy")
    none = Pin(Requirement("no-such-package==1.0"), ())
    assert licence_of(pin, POLICY) == "MIT"
    assert licence_of(none, POLICY) == "unknown"
    assert licence_of(none, POLICY._replace(looked_up={"no-such-package": "ISC"})) == "ISC"


def described(*names: str) -> dict[str, Any]:
    """What cyclonedx-bom says of these packages; the first needs the others, and one that is elsewhere."""
    components = [
        {"bom-ref": f"{name}-ref", "name": name.title(), "version": f"{n}.0"} for n, name in enumerate(names, 1)
    ]
    needs = [{"ref": f"{names[0]}-ref", "dependsOn": [*(f"{name}-ref" for name in names[1:]), "elsewhere-ref"]}]
    return {"components": components, "dependencies": [*needs, *({"ref": f"{name}-ref"} for name in names[1:])]}


@pytest.mark.asvs("15.1.2")
def test_a_bill_has_the_packages_of_its_lock_with_hashes_and_licences(folder: Path) -> None:
    policy = POLICY._replace(looked_up={"one": "MIT", "two": "LGPL-3.0-only"})
    bill = bill_of("own", read_pins("own", folder), described("one", "two", "three"), policy)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.7")
    one, two = bill["components"]
    assert (one["name"], one["purl"], one["licenses"]) == ("one", "pkg:pypi/one@1.0", [{"expression": "MIT"}])
    assert two["licenses"] == [{"expression": "LGPL-3.0-only"}]
    (files,) = one["externalReferences"]
    assert [each["content"] for each in files["hashes"]] == ["0" * 64, "1" * 64]
    root, first, second = bill["dependencies"]
    assert (root["ref"], root["dependsOn"]) == ("root", ["one-ref", "two-ref"])
    assert (first, second) == ({"ref": "one-ref", "dependsOn": ["two-ref"]}, {"ref": "two-ref", "dependsOn": []})
    assert bill["metadata"]["component"]["name"] == "ml-mini-platform"
    assert {"timestamp", "serialNumber"}.isdisjoint({*bill, *bill["metadata"]})


def test_a_bill_of_what_is_not_installed_is_refused(folder: Path) -> None:
    for there in (described("one"), described("two", "one")):
        with pytest.raises(NoBill, match="is not installed: run `make dev`"):
            bill_of("own", read_pins("own", folder), there, POLICY)


# What stands for cyclonedx-bom, for the Python beside it, and for pip-audit.
PROGRAM = """#!{python}
import json, sys
from pathlib import Path
here = Path(__file__)
with here.with_suffix(".asked").open("a") as asked:
    asked.write(json.dumps([sys.argv[1:], "" if sys.stdin.isatty() else sys.stdin.read()]) + "\\n")
lock = sys.argv[sys.argv.index("--requirement") + 1] if "--requirement" in sys.argv else ""
{body}
"""


def program(path: Path, body: str) -> Path:
    """An executable that notes what it was asked, and does that; `lock` is the file that it is asked about."""
    path.write_text(PROGRAM.format(python=sys.executable, body=body))
    path.chmod(0o755)
    return path


def asked(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.with_suffix(".asked").read_text().splitlines()]


def installed() -> dict[str, Any]:
    """As cyclonedx-bom would tell of all that the locks pin for this place."""
    pins = {pin.name: pin for lock in INSTALLED for pin in read_pins(lock) if pin.is_for(sys_platform="linux")}
    components = [{"bom-ref": name, "name": name, "version": pin.version} for name, pin in pins.items()]
    return {"components": components, "dependencies": [{"ref": name} for name in pins]}


def test_bills_are_checked_and_the_same_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    locks = ("run", "image-dask")
    monkeypatch.setattr(sbom, "INSTALLED", locks)
    program(tmp_path / "cyclonedx-py", f"print({json.dumps(json.dumps(installed()))})")
    checker = program(tmp_path / "python", "sys.exit(0)")
    first = [path.read_bytes() for path in sbom.write_bills(folder=tmp_path / "a", tools=tmp_path)]
    paths = sbom.write_bills(folder=tmp_path / "b", tools=tmp_path)
    assert [path.read_bytes() for path in paths] == first
    assert [path.name for path in paths] == [f"{lock}.cdx.json" for lock in locks]
    assert [said for _, said in asked(checker)[-len(locks) :]] == [path.read_text() for path in paths]


def test_a_bill_that_is_not_valid_or_cannot_be_made_is_told(tmp_path: Path) -> None:
    program(tmp_path / "cyclonedx-py", f"print({json.dumps(json.dumps(installed()))})")
    program(tmp_path / "python", "sys.exit('no such field')")
    with pytest.raises(NoBill, match="The document of run is not valid: no such field"):
        sbom.write_bills(folder=tmp_path / "a", tools=tmp_path)
    program(tmp_path / "cyclonedx-py", "sys.exit('broken')")
    with pytest.raises(NoBill, match="cyclonedx-bom failed: broken"):
        sbom.write_bills(folder=tmp_path / "a", tools=tmp_path)


GOOD = 'print(json.dumps({"dependencies": [{"name": "one", "version": "1.0", "vulns": []}]}))'
BAD_ONE = (
    'print(json.dumps({"dependencies": [{"name": "one", "version": "1.0", '
    '"vulns": [{"id": "X-1", "fix_versions": ["1.1"]}]}]}))\nsys.exit(1)'
)
LEFT_OUT = 'print(json.dumps({"dependencies": [{"name": "one", "skip_reason": "not found"}]}))'
AWAY = 'sys.exit("requests.exceptions.ConnectionError: Max retries exceeded")'
BROKEN = 'sys.exit("error: hashes do not match")'
NOTHING = 'print(json.dumps({"dependencies": []}))'
STATUS = GOOD + "\nsys.exit(2)"
# The question about the first package is answered well, and the one about the lock is not.
LATER = [f"if lock.endswith('own.txt'):\n    {body}\nelse:\n    {GOOD}" for body in (LEFT_OUT, NOTHING, AWAY)]


@pytest.mark.parametrize(
    ("body", "finding", "when_required", "said"),
    [
        (GOOD, Finding.CLEAN, Finding.CLEAN, "own.txt: 1 packages, no known vulnerability"),
        (BAD_ONE, Finding.VULNERABLE, Finding.VULNERABLE, "one 1.0: X-1, fixed in 1.1"),
        (LATER[0], Finding.SKIPPED, Finding.SKIPPED, "one was skipped: not found"),
        (LATER[1], Finding.SKIPPED, Finding.SKIPPED, "no package was looked at"),
        (LATER[2], Finding.FAILED, Finding.FAILED, "Max retries exceeded"),
        (BROKEN, Finding.FAILED, Finding.FAILED, "hashes do not match"),
        (STATUS, Finding.FAILED, Finding.FAILED, "ended with status 2"),
        (AWAY, Finding.UNREACHABLE, Finding.FAILED, "not audited: no source of advisories can be reached"),
        (
            LEFT_OUT,
            Finding.UNREACHABLE,
            Finding.FAILED,
            "not audited: whoever answers knows no advisories (one was",
        ),
    ],
)
def test_only_an_answer_about_every_package_is_an_all_clear(
    *, folder: Path, body: str, finding: Finding, when_required: Finding, said: str
) -> None:
    asking = program(folder / "pip-audit", body)
    for required, expected in ((False, finding), (True, when_required)):
        answer = audited(required=required, program=asking, folder=folder, locks=["own"])
        assert (answer.finding, said in answer.said) == (expected, True), answer


def test_the_source_is_tried_with_one_package_before_the_locks_are(folder: Path) -> None:
    asking = program(folder / "pip-audit", AWAY)
    audited(required=False, program=asking, folder=folder, locks=["own"])
    ((options, _),) = asked(asking)
    assert "own.txt" not in str(options)
    assert {"--require-hashes", "--disable-pip"} <= set(options)
    asking = program(folder / "pip-audit", GOOD)
    audited(required=False, program=asking, folder=folder, locks=["own"])
    assert str(folder / "own.txt") in asked(asking)[-1][0]


def test_a_source_that_never_answers_was_not_reached(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "_SECONDS", 0.2)
    asking = program(folder / "pip-audit", "import time\ntime.sleep(60)")
    answer = audited(required=False, program=asking, folder=folder, locks=["own"])
    assert answer.finding is Finding.UNREACHABLE


@pytest.mark.parametrize(
    ("body", "wanted", "status"), [(AWAY, "", 0), (AWAY, "required", 1), (BAD_ONE, "", 1), (GOOD, "yes", 1)]
)
def test_the_command_ends_as_it_was_found(
    *, folder: Path, monkeypatch: pytest.MonkeyPatch, body: str, wanted: str, status: int
) -> None:
    monkeypatch.setattr(audit, "LOCKS", folder)
    monkeypatch.setattr(command, "PROGRAM", program(folder / "pip-audit", body))
    monkeypatch.setenv("MLMINI_AUDIT", wanted)
    monkeypatch.setattr(sys, "argv", ["supply", "audit"])
    for lock in audit.AUDITED:
        (folder / f"{lock}.txt").write_text(LOCK)
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert bool(ended.value.code) is bool(status)


def test_the_public_workflow_requires_an_audit() -> None:
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    (job,) = [part for part in workflow.split("\n\n") if "make audit" in part]
    assert "MLMINI_AUDIT: required" in job
    assert "make sbom" in job
