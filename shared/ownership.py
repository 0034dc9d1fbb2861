"""Whether other users of the machine could change what the platform keeps, by the rules of OpenSSH's StrictModes.

Whoever can swap the key, the database and the store has the platform load a model of theirs, which is running their
code. So each of them, and each folder on the way there, must belong to this user or to root, and nobody else may write
it. On the way, a folder with the sticky bit is fine: others cannot rename there what is not theirs. A group whose only
member is the owner may write, as on systems that give each user a group.
"""

import grp
import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

_TRUSTED_BY_ALL = 0


def weakness(path: Path, *, secret: bool = False) -> str | None:
    """How others could change a file or folder itself, or read one that is secret, and how to fix it; None if not."""
    state = path.lstat()
    if stat.S_ISLNK(state.st_mode):
        return _foreign(path, state)
    if secret and _readable_by_others(state):
        return f"{path} can be read by other users (mode {_mode(state)}). Run `chmod 600 {path}`."
    return _foreign(path, state) or _writable(path, state)


def weakness_on_the_way(path: Path) -> str | None:
    """How others could put another thing in the place of a file or folder, and how to fix it; None if they cannot."""
    for folder in _folders(path):
        state = folder.lstat()
        found = _foreign(folder, state)
        if found is None and stat.S_ISDIR(state.st_mode) and not state.st_mode & stat.S_ISVTX:
            found = _writable(folder, state)
        if found is not None:
            return found
    return None


def weaknesses_inside(folder: Path) -> Iterator[str]:
    """The same for what lies directly in a folder."""
    for entry in sorted(folder.iterdir()):
        try:
            found = weakness(entry)
        except FileNotFoundError:
            continue  # Another process removed it meanwhile.
        if found is not None:
            yield found


def _folders(path: Path) -> Iterator[Path]:
    """The folders above, as the path names them and as they are, up to the user's own one or to the root."""
    own = Path(pwd.getpwuid(os.getuid()).pw_dir) if _is_known(os.getuid()) else None
    for start in dict.fromkeys((path.absolute(), path.resolve())):
        for folder in start.parents:
            yield folder
            if folder == own:
                break


def _foreign(path: Path, state: os.stat_result) -> str | None:
    user = os.getuid()
    if state.st_uid in {_TRUSTED_BY_ALL, user}:
        return None
    return (
        f"{path} belongs to the user with the id {state.st_uid}, and this runs as {user}: that user could change it. "
        f"Run `chown {user} {path}`, or start the platform as that user."
    )


def _writable(path: Path, state: os.stat_result) -> str | None:
    others = bool(state.st_mode & stat.S_IWOTH)
    if not others and not (state.st_mode & stat.S_IWGRP and not _is_private_group(state.st_gid, state.st_uid)):
        return None
    return f"{path} can be written by other users (mode {_mode(state)}). Run `chmod go-w {path}`."


def _readable_by_others(state: os.stat_result) -> bool:
    if state.st_mode & stat.S_IRWXO:
        return True
    return bool(state.st_mode & stat.S_IRWXG) and not _is_private_group(state.st_gid, state.st_uid)


def _is_private_group(group: int, owner: int) -> bool:
    """Whether nobody but the owner, root and this user is known to be in a group."""
    trusted = {_TRUSTED_BY_ALL, os.getuid(), owner}
    members = {user.pw_uid for user in pwd.getpwall() if user.pw_gid == group}
    for name in _named_members(group):
        try:
            members.add(pwd.getpwnam(name).pw_uid)
        except KeyError:
            continue  # A name without a user.
    return members <= trusted


def _named_members(group: int) -> list[str]:
    try:
        return grp.getgrgid(group).gr_mem
    except KeyError:
        return []


def _is_known(user: int) -> bool:
    try:
        pwd.getpwuid(user)
    except KeyError:
        return False
    return True


def _mode(state: os.stat_result) -> str:
    return f"{stat.S_IMODE(state.st_mode):03o}"
