"""The caller's own logins: list, end."""

from typing import Annotated

from fastapi import APIRouter, Path

from api.access.callers import CallerDep
from api.dependencies import PartsDep, ReadSession
from api.http.json_body import StrictRoute
from api.http.problems import responses
from api.schemas.accounts import Login, OwnLogins
from shared.accounts.own_logins import end_own_login, logins_of

router = APIRouter(tags=["Access"], route_class=StrictRoute)


@router.get("/me/logins", summary="List your logins", responses=responses(503))
def list_logins(*, session: ReadSession, caller: CallerDep) -> OwnLogins:
    """Where you are logged in, the latest first: a login that you do not know is that of somebody else."""
    user = caller.need_login()
    current = caller.identity.session_id
    rows = logins_of(session, user)
    return OwnLogins(
        items=[
            Login(
                id=row.id,
                began_at=row.created_at,
                renewed_at=row.refreshed_at,
                ends_at=row.expires_at,
                current=row.id == current,
            )
            for row in rows
        ]
    )


@router.delete(
    "/me/logins/{login_id}", status_code=204, summary="End one of your logins", responses=responses(404, 503)
)
def end_login(
    *,
    login_id: Annotated[str, Path(max_length=64, description="The id of a login, from the list of them.")],
    parts: PartsDep,
    caller: CallerDep,
) -> None:
    """End a login with all of its tokens; every process refuses these a second later at most."""
    user = caller.need_login()
    with parts.database.write() as session:
        caller.need_recent_login(session)
        end_own_login(session, user, login_id, caller.sender)
    parts.access.known.forget()
