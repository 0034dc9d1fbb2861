"""The packages that a lock pins."""

import re
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[3]
LOCKS = ROOT / "requirements"


@dataclass(frozen=True)
class Pin:
    """A package of one version, and the SHA-256 of each of its files."""

    requirement: Requirement
    hashes: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its name in the one form that counts."""
        return canonicalize_name(self.requirement.name)

    @property
    def version(self) -> str:
        """The version that it is pinned to."""
        (specifier,) = self.requirement.specifier
        return specifier.version

    def is_for(self, **place: str) -> bool:
        """Whether it is installed there, such as where `sys_platform` is `linux`."""
        marker = self.requirement.marker
        return marker is None or marker.evaluate(dict(place))


def read_pins(lock: str, folder: Path = LOCKS) -> list[Pin]:
    """All pins of a lock, in its order."""
    text = (folder / f"{lock}.txt").read_text(encoding="utf-8")
    entries = re.findall(r"^([A-Za-z0-9][^\\\n]*)\\?\n((?: .*\n?)*)", text, re.MULTILINE)
    return [Pin(Requirement(head), tuple(re.findall(r"sha256:([0-9a-f]{64})", rest))) for head, rest in entries]
