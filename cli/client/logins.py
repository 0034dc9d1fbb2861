"""The logins that `mlmini login` keeps: one for each platform, in a file for this user alone."""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from cli.client.address import Address
from cli.client.errors import CommandFailed
from cli.client.secret_text import private_bytes
from shared.home import make_private
from shared.regular_file import open_regular

_NAME = "logins.json"
_LOCK = "logins.lock"
_PORTS = {"http": 80, "https": 443}
# An access token is exchanged so long before it ends, that the request still arrives in time.
_EARLY_SECONDS = 60


@dataclass(frozen=True)
class KeptLogin:
    """Who is logged in, with which tokens; the moments are those of the clock of this machine."""

    name: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    since: float
    renew_at: float

    @classmethod
    def of_answer(cls, name: str, answer: dict[str, Any]) -> Self:
        """What the platform has given just now."""
        now, seconds = time.time(), float(answer["expires_in"])
        renew_at = now + seconds - min(_EARLY_SECONDS, seconds / 2)
        return cls(name, answer["access_token"], answer["refresh_token"], now, renew_at)

    @property
    def is_fresh(self) -> bool:
        """Whether the access token can still be used; not after the clock was set back, for then nobody knows."""
        return self.since <= time.time() < self.renew_at


def place_of(address: Address) -> str:
    """A platform by scheme, host, port and path, without a user and a password that stand before them."""
    parts = urlsplit(address.url)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}:{parts.port or _PORTS[parts.scheme]}{parts.path}"


def find_login(place: str) -> KeptLogin | None:
    """The login at a platform, if there is one.

    Raises:
        WrongUsage: when others can read the file.
        CommandFailed: when it cannot be read.
    """
    return _read().get(place)


@contextmanager
def logins_held() -> Iterator[None]:
    """Have no other verb change a login meanwhile.

    Raises:
        CommandFailed: when the folder cannot be used.
    """
    try:
        make_private(_folder())
        descriptor = open_regular(_folder() / _LOCK, os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise _unusable(error) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def keep_login(place: str, login: KeptLogin | None) -> None:
    """Keep a login, or none any more, on the disk when it returns. To be called while `logins_held`.

    Raises:
        WrongUsage, CommandFailed: as `find_login`, and when it cannot be written.
    """
    kept = _read()
    kept.pop(place, None)
    if login is not None:
        kept[place] = login
    document = {each: asdict(found) for each, found in kept.items()}
    draft = _folder() / f"{_NAME}.new"
    try:
        # What a killed verb left there is not written to: it may be another file by now.
        draft.unlink(missing_ok=True)
        with os.fdopen(open_regular(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "w") as file:
            json.dump(document, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(_folder() / _NAME)
    except OSError as error:
        raise _unusable(error) from None


def _read() -> dict[str, KeptLogin]:
    try:
        path = _folder() / _NAME
        found = json.loads(private_bytes(path, called="The logins"))
        return {place: KeptLogin(**kept) for place, kept in found.items()}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise _unusable(error) from None
    except (ValueError, TypeError, AttributeError):
        raise CommandFailed(f"{path} is not as `mlmini login` has written it. Remove it, and log in again.") from None


def _folder() -> Path:
    named = Path(os.environ.get("XDG_CONFIG_HOME") or "")
    # One that is not absolute is to be ignored (XDG Base Directory Specification).
    return (named if named.is_absolute() else Path(os.path.expanduser("~/.config"))) / "mlmini"  # noqa: PTH111 - without a home it stays as it is


def _unusable(error: OSError) -> CommandFailed:
    return CommandFailed(
        f"Logins are kept in {_folder()}, which cannot be used: {error.strerror}. "
        "Put that right, or set XDG_CONFIG_HOME to another folder."
    )
