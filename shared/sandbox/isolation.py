"""What a computing process can reach: the folder of its run, what it is given to read, and programs of the system.

It works on files of strangers, with large libraries. If something takes it over, that finds no secret to read, nobody
to send it to, and no process to disturb. The kernel enforces this, as far as this kernel can.
"""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.sandbox import landlock, seccomp

# What programs and libraries read on any system. Secrets and the homes of people are elsewhere. Below /proc, other
# processes are left out, since their environment can be read there.
_OF_SYSTEMS = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store", "/gnu/store", "/sys"),
    *(f"/proc/{name}" for name in ("self", "cpuinfo", "meminfo", "stat", "loadavg", "filesystems", "vmstat", "sys")),
    *(f"/etc/{name}" for name in ("ld.so.cache", "localtime", "timezone", "passwd", "group", "nsswitch.conf")),
    "/etc/mime.types",
    *(f"/dev/{name}" for name in ("urandom", "random", "zero")),
)
# Where a process resets its peak of memory, and the place where nothing is kept.
_CHANGED = ("/proc/self/clear_refs", os.devnull)


@dataclass(frozen=True)
class Reach:
    """What a run may reach besides its folder: paths to read, paths to change, and ports to connect to."""

    reads: Sequence[str] = ()
    writes: Sequence[str] = ()
    ports: Sequence[int] = ()


NOTHING_MORE = Reach()


@dataclass(frozen=True)
class Isolation:
    """What the kernel of this machine can keep a computing process from."""

    files: bool
    network: bool

    @classmethod
    def possible(cls) -> "Isolation":
        """What this kernel can do."""
        if sys.platform != "linux":
            return cls(files=False, network=False)
        return cls(files=landlock.version() > 0, network=seccomp.is_there())

    @property
    def missing(self) -> list[str]:
        """What it cannot keep a process from, each with what the kernel lacks."""
        files = [] if self.files else ["other files of this user (Landlock)"]
        return files + ([] if self.network else ["the network (seccomp)"])


def is_read(path: Path) -> bool:
    """Whether every computing process can read a folder, as all below an installation of Python."""
    modules, _ = _of_python()
    return any(path.resolve().is_relative_to(place.resolve()) for place in (*map(Path, _OF_SYSTEMS), *modules))


def isolate(folder: Path, reach: Reach) -> None:
    """Confine this process, and all that it starts, to its folder and its reach, as far as the kernel can.

    Raises:
        OSError: when the kernel refuses what it said it could do.
    """
    possible = Isolation.possible()
    if possible.files:
        modules, lists = _of_python()
        reads = [*map(Path, (*_OF_SYSTEMS, *reach.reads)), *modules]
        writes = [folder, *map(Path, (*_CHANGED, *reach.writes))]
        landlock.restrict(reads=reads, lists=lists, writes=writes, connects=reach.ports)
    if possible.network:
        seccomp.restrict(but_tcp=bool(reach.ports))


def _of_python() -> tuple[list[Path], list[Path]]:
    """The paths of all that Python imports, and the folders whose names it lists to find them.

    Of an installation that is everything, of other folders the modules only: a checkout holds more, maybe even the
    home of the platform.
    """
    installed = {Path(each) for each in (sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix)}
    others = {Path(entry).absolute() for entry in sys.path if entry}
    folders = [each for each in others if not any(each.is_relative_to(place) for place in installed)]
    return [*installed, *_in_other_places(), *(entry for each in folders for entry in _modules_in(each))], folders


def _in_other_places() -> list[Path]:
    """The places of packages that were installed as editable, which are not on the path of Python."""
    finders = [sys.modules.get(getattr(finder, "__module__", "")) for finder in sys.meta_path]
    mapped = [str(place) for finder in finders for place in getattr(finder, "MAPPING", {}).values()]
    return [Path(place) for place in mapped]


def _modules_in(folder: Path) -> list[Path]:
    return [entry for entry in _entries(folder) if _is_module(entry) or any(map(_is_module, _entries(entry)))]


def _is_module(path: Path) -> bool:
    try:
        return path.suffix in {".py", ".so", ".dist-info"} or (path / "__init__.py").exists()
    except PermissionError:
        # Such as the home of the platform, for another user of its image.
        return False


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
