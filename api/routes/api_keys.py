"""API keys, with which programs authenticate: list, make, revoke."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from sqlalchemy.orm import Session

from api.access.callers import Caller, CallerDep
from api.dependencies import AccessSession, ReadSession, WriteSession
from api.http.json_body import StrictRoute
from api.http.pagination import Page, PageQueryDep, make_page
from api.http.problems import responses
from api.schemas.accounts import ApiKey, MadeApiKey, NewApiKey
from api.schemas.base import WrittenVersion, read_version
from shared.accounts.api_keys import OwnedKey, create_key, list_keys, revoke_key
from shared.accounts.permissions import Permission
from shared.accounts.rows import UserRow
from shared.accounts.users import find_user
from shared.audit.actions import Action
from shared.audit.recording import record
from shared.errors import NoAccounts, UnknownApiKey

router = APIRouter(tags=["Access"], route_class=StrictRoute)


@router.get("/api-keys", summary="List API keys", responses=responses(422, 503))
def list_api_keys(*, session: ReadSession, page: PageQueryDep, caller: CallerDep) -> Page[ApiKey]:
    """Your own keys, the newest first; administrators see those of all."""
    before = page.after_number()
    user = None if _manages(caller) else _user_of(session, caller)
    found = list_keys(session, user=user, limit=page.limit + 1, before=before)
    return make_page(found, page, item=ApiKey.from_owned, position=lambda owned: [owned.key.id])


@router.post("/api-keys", status_code=201, summary="Make an API key", responses=responses(404, 409, 413, 415, 422, 503))
def make_api_key(*, body: NewApiKey, session: WriteSession, caller: CallerDep, response: Response) -> MadeApiKey:
    """Make a key for a program. It is shown in this answer, and never again.

    A key makes no other keys, unless it has the scope `admin`: whoever finds one must not get a second one.
    """
    caller.need_recent_login(session)
    user = _owner(session, caller, body.user)
    row, text = create_key(session, user, name=body.name, scopes=body.scopes, expires_at=body.expires_at)
    told = {"name": row.name, "user": user.name, "scopes": row.scopes}
    record(session, caller.entry(Action.KEY_CREATED, f"key {row.id}", after=told))
    response.headers["Location"] = f"/api-keys/{row.id}"
    response.headers["Cache-Control"] = "no-store"
    return MadeApiKey(**ApiKey.from_owned(OwnedKey(row, user)).model_dump(), key=text)


@router.delete("/api-keys/{key_id}", status_code=204, summary="Revoke an API key", responses=responses(404, 503))
def revoke_api_key(
    *,
    key_id: Annotated[WrittenVersion, Path(description="The id of a key.")],
    session: AccessSession,
    caller: CallerDep,
) -> None:
    """End a key for good; every process refuses it a second later at most.

    A key ends no key but itself, unless it has the scope `admin`: whoever finds one must not shut out its user.
    """
    number = read_version(key_id)
    if number is None:
        raise UnknownApiKey(f"There is no API key '{key_id}'. {UnknownApiKey.hint}")
    if caller.identity.key_id not in {None, str(number)}:
        caller.need(Permission.MANAGE, "revoke other API keys")
    owned = revoke_key(session, number, user=None if _manages(caller) else _user_of(session, caller))
    record(session, caller.entry(Action.KEY_REVOKED, f"key {number}", before={"user": owned.user.name}))


def _manages(caller: Caller) -> bool:
    return Permission.MANAGE in caller.identity.permissions


def _owner(session: Session, caller: Caller, named: str | None) -> UserRow:
    if caller.identity.key_id is not None:
        caller.need(Permission.MANAGE, "make API keys")
    if named is None or named == caller.identity.name:
        return _user_of(session, caller)
    caller.need(Permission.MANAGE, f"make API keys of '{named}'")
    return find_user(session, named)


def _user_of(session: Session, caller: Caller) -> UserRow:
    """The user who sends the request.

    Raises:
        NoAccounts: when there are no accounts, so that nobody needs a key.
    """
    if not caller.is_known:
        raise NoAccounts
    return find_user(session, caller.identity.name)
