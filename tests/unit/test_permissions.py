"""Roles and scopes, and the table of docs/security.md."""

import re
from itertools import combinations, pairwise

import pytest

from shared.accounts.identity import NOBODY_NEEDED
from shared.accounts.permissions import ROLES, SCOPES, Permission, Role, Scope, allowed, scopes_within
from tests.support.documented import ROOT

ROW = re.compile(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


@pytest.mark.asvs("8.1.1")
def test_the_page_has_the_roles_and_scopes_of_each_permission() -> None:
    told = {name: (roles, scopes) for name, roles, scopes in ROW.findall((ROOT / "docs" / "security.md").read_text())}
    assert told == {
        str(permission): (
            ", ".join(role for role in Role if permission in ROLES[role]),
            ", ".join(scope for scope in Scope if permission in SCOPES[scope]),
        )
        for permission in Permission
    }


def test_each_role_may_do_what_the_one_before_may_and_more() -> None:
    rights = [allowed(role) for role in Role]
    assert all(less < more for less, more in pairwise(rights))
    assert rights[-1] == frozenset(Permission) == NOBODY_NEEDED.permissions


def test_the_last_stage_and_what_cannot_be_undone_need_more_than_training_does() -> None:
    assert Permission.PROMOTE_LAST not in allowed(Role.TRAINER)
    assert Permission.PROMOTE_LAST in allowed(Role.APPROVER)
    for permission in (Permission.MANAGE, Permission.DELETE):
        assert [role for role in Role if permission in allowed(role)] == [Role.ADMIN]


@pytest.mark.asvs("10.3.2")
@pytest.mark.parametrize("role", Role)
def test_no_scopes_give_a_key_more_than_its_user_may(role: Role) -> None:
    for count in range(len(Scope) + 1):
        for scopes in combinations(Scope, count):
            assert allowed(role, scopes) <= allowed(role)
    assert allowed(role, []) == frozenset()
    assert allowed(role, [Scope.PREDICT]) == {Permission.PREDICT}
    assert all(allowed(role, [scope]) for scope in scopes_within(role))


def test_a_role_gives_the_scopes_that_it_can_use() -> None:
    assert scopes_within(Role.VIEWER) == [Scope.READ, Scope.PREDICT]
    assert scopes_within(Role.TRAINER) == [Scope.READ, Scope.PREDICT, Scope.TRAIN, Scope.PROMOTE]
    assert scopes_within(Role.ADMIN) == list(Scope)
