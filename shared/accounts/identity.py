"""Who sends a request, as far as the platform has to know."""

from dataclasses import dataclass
from functools import cached_property

from shared.accounts.permissions import EVERYTHING, Permission, Role
from shared.accounts.sight import ALL_SEEING, Sight
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
    teams: frozenset[str] = frozenset()

    @cached_property
    def sight(self) -> Sight:
        """Whose datasets are seen: those of the teams, and all with the permission to manage."""
        return ALL_SEEING if Permission.MANAGE in self.permissions else Sight(self.teams)


# Everybody, while access control is off.
NOBODY_NEEDED = Identity(name=ANONYMOUS, role=Role.ADMIN, permissions=EVERYTHING, via=Via.NONE)
