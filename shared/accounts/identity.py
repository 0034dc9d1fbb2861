"""Who sends a request, as far as the platform has to know."""

from dataclasses import dataclass

from shared.accounts.permissions import EVERYTHING, Permission, Role
from shared.audit.actions import ANONYMOUS, Via


@dataclass(frozen=True)
class Identity:
    """A user, what it may do with this credential, and which credential it is."""

    name: str
    role: Role
    permissions: frozenset[Permission]
    via: Via
    key_id: str | None = None
    session_id: str | None = None


# Everybody, while access control is off.
NOBODY_NEEDED = Identity(name=ANONYMOUS, role=Role.ADMIN, permissions=EVERYTHING, via=Via.NONE)
