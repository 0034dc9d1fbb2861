"""The locks are whole: whatever a locked package needs is in the lock, so nothing is left to resolve on another day."""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
# The locks that are not of the platform, and what they are of.
GROUPS = {"uv": "installer", "audit": "audit", "clients": "clients", "kserve": "kserve"}
EXTRAS = {
    "run": ["local"],
    "dask": ["local", "optuna", "boosting", "dask"],
    "dev": ["local", "dev"],
    "image": ["image"],
    "image-dask": ["image", "optuna", "boosting", "dask"],
    **{group: [] for group in GROUPS},
}

PLACES = [
    {
        "python_version": minor,
        "python_full_version": f"{minor}.{patch}",
        "sys_platform": system,
        "platform_machine": cpu,
    }
    for minor, patch in (("3.11", "0"), ("3.12", "1"), ("3.13", "0"), ("3.14", "0"))
    for system, cpu in (("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64"))
]
by_place = pytest.mark.parametrize("place", PLACES, ids=lambda place: "-".join(list(place.values())[1:]))
by_lock = pytest.mark.parametrize("lock", EXTRAS)

Place = dict[str, str]


@by_lock
def test_every_pin_has_hashes_and_no_address(lock: str) -> None:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text()
    pins = [line for line in text.splitlines() if re.match(r"[A-Za-z0-9]", line)]
    assert pins
    assert [line for line in pins if not line.endswith("\\")] == []
    assert "://" not in text


@by_lock
@by_place
def test_nothing_is_left_to_resolve(lock: str, place: Place) -> None:
    assert list(left_open(read(lock), lock, place)) == []


@pytest.mark.parametrize(
    ("line", "without"),
    [("coverage[toml]", "coverage"), ("celery[redis]", "celery"), ("kombu==", None), ("numpy==", None)],
    ids=["an extra", "an extra of ours", "a package", "a package for some Pythons"],
)
def test_a_lock_that_leaves_something_open_is_found(line: str, without: str | None) -> None:
    text = (ROOT / "requirements" / "dev.txt").read_text()
    line = line.replace("kombu==", "kombu[redis]==")
    assert f"\n{line}" in text
    broken = text.replace(f"\n{line}", f"\n{without}") if without else text.replace(f"\n{line}", "\nother==")
    places = [place for place in PLACES if place["python_version"] == "3.11"]
    assert all(list(left_open(broken, "dev", place)) for place in places)


def read(lock: str) -> str:
    return (ROOT / "requirements" / f"{lock}.txt").read_text()


def left_open(text: str, lock: str, place: Place) -> Iterator[str]:
    """The requirements, of ours and of the locked packages, that the lock does not meet at that place."""
    pins: dict[str, Requirement] = {canonicalize_name(pin.name): pin for pin in pinned(text) if applies(pin, place)}
    for requirement in ours(lock):
        if applies(requirement, place) and not met(requirement, pins):
            yield f"pyproject.toml needs {requirement}"
    for name, pin in pins.items():
        for requirement in needs(name, version_of(pin)):
            wanted = any(applies(requirement, place, extra) for extra in (pin.extras or {""}) | {""})
            if wanted and not met(requirement, pins):
                yield f"{pin} needs {requirement}"


def pinned(text: str) -> Iterator[Requirement]:
    for line in text.splitlines():
        if re.match(r"[A-Za-z0-9]", line):
            yield Requirement(line.rstrip("\\ "))


def ours(lock: str) -> Iterator[Requirement]:
    if (group := GROUPS.get(lock)) is not None:
        yield from map(Requirement, PROJECT["dependency-groups"][group])
        return
    groups = [PROJECT["project"]["dependencies"]]
    groups += [PROJECT["project"]["optional-dependencies"][extra] for extra in EXTRAS[lock]]
    for group in groups:
        yield from map(Requirement, group)


def applies(requirement: Requirement, place: Place, extra: str = "") -> bool:
    return requirement.marker is None or requirement.marker.evaluate({**place, "extra": extra})


def met(requirement: Requirement, pins: dict[str, Requirement]) -> bool:
    """Whether it is pinned in a version that will do, with all extras that are asked for."""
    pin = pins.get(canonicalize_name(requirement.name))
    return pin is not None and requirement.extras <= pin.extras and requirement.specifier.contains(version_of(pin))


def version_of(pin: Requirement) -> str:
    (specifier,) = pin.specifier
    return specifier.version


@cache
def needs(name: str, version: str) -> list[Requirement]:
    """What a package of that version says it needs; nothing is known of those that are not installed here."""
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return []
    return [Requirement(line) for line in found.requires or []] if found.version == version else []
