"""Users: list, add, change, delete."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from api.access.callers import CallerDep
from api.dependencies import AccessSession, PartsDep, ReadSession
from api.http.json_body import StrictRoute
from api.http.pagination import Page, PageQueryDep, make_page
from api.http.problems import responses
from api.lanes import in_lane
from api.parts import Parts
from api.schemas.accounts import NewUser, User, UserUpdate
from shared.accounts import users
from shared.accounts.exposure import check_secrets_for_accounts
from shared.accounts.rows import AccountKind
from shared.audit.actions import Action
from shared.audit.recording import record
from shared.errors import InvalidRequest

router = APIRouter(tags=["Access"], route_class=StrictRoute)

Name = Annotated[str, Path(description="The name of a user.", max_length=64)]


@router.get("/users", summary="List users", operation_id="list_users", responses=responses(422, 503))
def list_all_users(*, session: ReadSession, page: PageQueryDep) -> Page[User]:
    """Users in the order of their names."""
    found = users.list_users(session, limit=page.limit + 1, after=page.after_text())
    return make_page(found, page, item=User.model_validate, position=lambda user: [user.name])


@router.post("/users", status_code=201, summary="Add a user", responses=responses(409, 413, 415, 422, 429, 503))
@in_lane("logins")
def add_user(*, body: NewUser, parts: PartsDep, caller: CallerDep, response: Response) -> User:
    """Add somebody who may log in by a password, or a `service`, which has API keys only."""
    check_secrets_for_accounts(parts.settings)
    issuer = _issuer(parts, body.login)
    hashed = None if body.password is None else parts.access.passwords.hashed(body.password, name=body.name)
    with parts.database.write() as session:
        caller.need_recent_login(session)
        users.check_first_user(session, role=body.role, with_password=hashed is not None)
        user = users.create_user(
            session,
            body.name,
            role=body.role,
            password=hashed,
            kind=AccountKind(body.kind),
            issuer=issuer,
            teams=body.teams,
        )
        made = {"role": user.role, "kind": user.kind, "teams": user.teams}
        made |= {} if issuer is None else {"login": body.login}
        record(session, caller.entry(Action.USER_CREATED, f"user {user.name}", after=made))
        added = User.model_validate(user)
    parts.access.known.forget()
    response.headers["Location"] = f"/users/{added.name}"
    return added


@router.patch("/users/{name}", summary="Change a user", responses=responses(404, 409, 413, 415, 422, 429, 503))
@in_lane("logins")
def change_user(*, name: Name, body: UserUpdate, parts: PartsDep, caller: CallerDep) -> User:
    """Give another role, password or teams, or keep a user out. All logins of the user end by that."""
    issuer = _issuer(parts, body.login)
    hashed = None if body.password is None else parts.access.passwords.hashed(body.password, name=name)
    with parts.database.write() as session:
        caller.need_recent_login(session)
        change = users.change_user(
            session, name, role=body.role, password=hashed, active=body.active, issuer=issuer, teams=body.teams
        )
        if change.after:
            entry = caller.entry(Action.USER_CHANGED, f"user {name}", before=change.before, after=change.after)
            record(session, entry)
        changed = User.model_validate(change.user)
    parts.access.known.forget()
    return changed


@router.delete("/users/{name}", status_code=204, summary="Delete a user", responses=responses(404, 409, 503))
def delete_user(*, name: Name, session: AccessSession, caller: CallerDep) -> None:
    """Delete a user with all logins and API keys. What the user has made stays."""
    caller.need_recent_login(session)
    change = users.delete_user(session, name)
    record(session, caller.entry(Action.USER_DELETED, f"user {name}", before=change.before))


def _issuer(parts: Parts, login: str | None) -> str | None:
    """The identity provider of a user who is to log in through one."""
    if login != "oidc":
        return None
    if parts.access.provider is None:
        raise InvalidRequest("Nobody logs in by oidc here. Leave it out, or have MLMINI_OIDC_ISSUER set.")
    return parts.access.provider.provider.issuer
