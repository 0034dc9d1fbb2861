"""Who sends a request, as endpoints ask for it."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.orm import Session
from starlette.types import Scope

from api.access.lookup import identity_by_now
from api.http.middleware import client_of
from shared.accounts.identity import NOBODY_NEEDED, Identity
from shared.accounts.permissions import Permission, Role
from shared.accounts.recent_logins import expect_recent
from shared.accounts.sessions import Sender
from shared.accounts.sight import Sight
from shared.audit.actions import ANONYMOUS, Action, AuditOutcome, Via
from shared.audit.recording import AuditEntry, record
from shared.errors import NotAllowed, NotAuthenticated
from shared.jobs.rows import JobRow
from shared.jobs.states import Kind

# The sender of a request without a valid credential, which only reaches what is open to everybody.
NOBODY = Identity(name=ANONYMOUS, role=Role.VIEWER, permissions=frozenset(), via=Via.NONE)


class Caller:
    """Who sends a request and from where, what they may do, and how the audit record tells of it."""

    def __init__(self, identity: Identity, sender: Sender) -> None:
        self.identity = identity
        self.sender = sender

    @property
    def is_known(self) -> bool:
        """Whether there are accounts; without them, everybody may do everything, and nothing is recorded."""
        return self.identity is not NOBODY_NEEDED

    @property
    def user_name(self) -> str | None:
        """The name of the user; None while there are no accounts."""
        return self.identity.name if self.is_known else None

    def need_login(self) -> str:
        """The name of the user who is logged in. A program that sends an API key is not.

        Raises:
            NotAuthenticated: when the request comes without a login.
        """
        if self.identity.session_id is None:
            raise NotAuthenticated(
                "This takes a login, and an API key is not enough. Log in in a browser at `/login`, or with "
                "`POST /auth/token` and send the token as `Authorization: Bearer`."
            )
        return self.identity.name

    def need_recent_login(self, session: Session) -> None:
        """Go on only if the caller has logged in of late; an API key comes with each request, and is no login.

        Raises:
            LoginTooOld: when the login began too long ago.
        """
        if self.identity.session_id is not None:
            expect_recent(session, self.identity.session_id)

    def need(self, permission: Permission, what: str) -> None:
        """Go on only if the caller has a permission; `what` ends the sentence "... may not ...".

        Raises:
            NotAllowed: when not.
        """
        if permission not in self.identity.permissions:
            raise not_allowed(self.identity, what)

    def entry(
        self, action: Action, subject: str, *, before: object = None, after: object = None, refused: bool = False
    ) -> AuditEntry:
        """What the audit record says of something that the caller did, or was not allowed to do."""
        return AuditEntry(
            action=action,
            subject=subject,
            actor=self.identity.name,
            via=self.identity.via,
            before=before,
            after=after,
            outcome=AuditOutcome.REFUSED if refused else AuditOutcome.DONE,
            request_id=self.sender.request_id,
            address=self.sender.address,
        )

    def note(
        self, session: Session, action: Action, subject: str, *, before: object = None, after: object = None
    ) -> None:
        """Record a change in its own transaction; nothing is recorded while there are no accounts."""
        if self.is_known:
            record(session, self.entry(action, subject, before=before, after=after))


def caller_of(scope: Scope) -> Caller:
    """Who sends the request of this scope. A server of one model has no gate, and knows nobody."""
    sender = Sender(request_id=scope["request_id"], address=client_of(scope))
    return Caller(scope.get("identity", NOBODY_NEEDED), sender)


async def sight_by_now(scope: Scope, what: str) -> Sight:
    """What the sender of a request that reads something sees, after it has waited.

    Raises:
        NotAuthenticated: when the credential was revoked meanwhile.
        NotAllowed: when they may not read any more; `what` says what, after "may not".
    """
    identity = await identity_by_now(scope)
    Caller(identity, Sender()).need(Permission.READ, what)
    return identity.sight


async def _caller(request: Request) -> Caller:
    return caller_of(request.scope)


CallerDep = Annotated[Caller, Depends(_caller)]


def need_promotion(caller: Caller, stage: str, stages: Sequence[str], *, retires: bool) -> None:
    """Go on only if the caller may promote to a stage.

    The last stage has a permission of its own. A promotion that `retires` versions of another target also takes the
    permission to retire.

    Raises:
        NotAllowed: when not.
    """
    caller.need(Permission.PROMOTE_LAST if stage == stages[-1] else Permission.PROMOTE, f"promote to '{stage[:64]}'")
    if retires:
        caller.need(Permission.RETIRE, f"retire what serves in '{stage[:64]}'")


def need_job(caller: Caller, job: JobRow, stages: Sequence[str]) -> None:
    """Go on only if the caller may cancel or repeat a job.

    It takes the permission to make such a job. A job of somebody else also takes the permission to manage.

    Raises:
        NotAllowed: when not.
    """
    if job.owner not in {None, caller.identity.name}:
        caller.need(Permission.MANAGE, f"cancel or repeat a job of '{job.owner}'")
    if job.kind == Kind.PROMOTE:
        # An erased request does not say its stage any more, so the strictest rule holds.
        stage, retires = job.request.get("target_stage", stages[-1]), job.request.get("replace_target", False)
        need_promotion(caller, str(stage), stages, retires=bool(retires))
    else:
        caller.need(Permission.TRAIN, f"cancel or repeat a job of the kind '{job.kind}'")


def not_allowed(identity: Identity, what: str) -> NotAllowed:
    """The error for something that an identity may not do."""
    limited = ", with the scopes of its API key" if identity.key_id else ""
    return NotAllowed(f"'{identity.name}' may not {what} as {identity.role}{limited}. {NotAllowed.hint}")
