"""The caller's own password."""

from anyio import from_thread
from fastapi import APIRouter

from api.access.callers import CallerDep
from api.dependencies import PartsDep
from api.http.json_body import StrictRoute
from api.http.problems import responses
from api.lanes import in_lane
from api.schemas.accounts import OwnPassword
from shared.accounts.own_password import change_own_password
from shared.accounts.passwords import checked_password

router = APIRouter(tags=["Access"], route_class=StrictRoute)


@router.post(
    "/me/password",
    status_code=204,
    summary="Change your password",
    operation_id="change_password",
    responses=responses(409, 413, 415, 422, 429, 503),
)
@in_lane("logins")
def change_password(*, body: OwnPassword, parts: PartsDep, caller: CallerDep) -> None:
    """Change the password of whoever is logged in. All logins of the user end by that, and this one, too.

    It takes the password that there is: a token that was stolen is not enough.
    """
    access, sender = parts.access, caller.sender
    user, address = caller.need_login(), sender.address or ""
    # A new password that is refused anyway must not count as a try to guess the present one.
    checked_password(body.password, name=user)
    from_thread.run(access.tries.enter, user, address)
    with access.tries.settled(user, address):
        change_own_password(
            parts.database,
            access.passwords,
            access.refusals,
            user,
            current=body.current_password,
            new=body.password,
            sender=sender,
        )
    access.known.forget()
