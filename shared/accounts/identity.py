"""Who sends a request: the user and their rights."""

from dataclasses import dataclass
from functools import cached_property

from shared.accounts.permissions import EVERYTHING, Permission, Role
from shared.accounts.sight import ALL_SEEING, Sight
from shared.audit.actions import ANONYMOUS, Via


@dataclass(frozen=True)
class Identity:
    """A user, the credential that was sent, and what the user may do with it."""

    name: str
    role: Role
    permissions: frozenset[Permission]
    via: Via
    key_id: str | None = None
    session_id: str | None = None
    teams: frozenset[str] = frozenset()

    @cached_property
    def sight(self) -> Sight:
        """Which datasets are visible: those of the user's teams, or all with the permission to manage."""
        return ALL_SEEING if Permission.MANAGE in self.permissions else Sight(self.teams)


# Every sender, while there are no accounts.
NOBODY_NEEDED = Identity(name=ANONYMOUS, role=Role.ADMIN, permissions=EVERYTHING, via=Via.NONE)
