"""What each role may do, and how the scopes of an API key narrow that."""

from collections.abc import Collection
from enum import StrEnum


class Permission(StrEnum):
    """Something that a user may be allowed to do."""

    READ = "read"
    PREDICT = "predict"
    # Upload and reread tables, train, predict in batches, cancel and retry own jobs.
    TRAIN = "train"
    # Promote to any stage but the last.
    PROMOTE = "promote"
    PROMOTE_LAST = "promote_last"
    RETIRE = "retire"
    DELETE = "delete"
    # Users, API keys of others, the audit record.
    MANAGE = "manage"


class Role(StrEnum):
    """The role of a user; each may do all that the one before may."""

    VIEWER = "viewer"
    TRAINER = "trainer"
    APPROVER = "approver"
    ADMIN = "admin"


class Scope(StrEnum):
    """What an API key is for."""

    READ = "read"
    PREDICT = "predict"
    TRAIN = "train"
    PROMOTE = "promote"
    ADMIN = "admin"


EVERYTHING = frozenset(Permission)

_VIEWER = frozenset({Permission.READ, Permission.PREDICT})
_TRAINER = _VIEWER | {Permission.TRAIN, Permission.PROMOTE}
_APPROVER = _TRAINER | {Permission.PROMOTE_LAST, Permission.RETIRE}
ROLES: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: _VIEWER,
    Role.TRAINER: _TRAINER,
    Role.APPROVER: _APPROVER,
    Role.ADMIN: EVERYTHING,
}

# The first permission is the one that a role needs to give the scope to a key. The key also gets the others, as far as
# its role has them.
SCOPES: dict[Scope, tuple[Permission, ...]] = {
    Scope.READ: (Permission.READ,),
    Scope.PREDICT: (Permission.PREDICT,),
    Scope.TRAIN: (Permission.TRAIN, Permission.READ),
    Scope.PROMOTE: (Permission.PROMOTE, Permission.PROMOTE_LAST, Permission.RETIRE, Permission.READ),
    Scope.ADMIN: (Permission.MANAGE, *Permission),
}


def allowed(role: Role, scopes: Collection[Scope] | None = None) -> frozenset[Permission]:
    """What a role may do, narrowed by the scopes if there are any: a key never may do more than its user."""
    if scopes is None:
        return ROLES[role]
    return ROLES[role] & {permission for scope in scopes for permission in SCOPES[scope]}


def scopes_within(role: Role) -> list[Scope]:
    """The scopes that keys of a role may have."""
    return [scope for scope, (needed, *_) in SCOPES.items() if needed in ROLES[role]]
