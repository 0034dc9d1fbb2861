"""The gate that every call passes, by the rules of the addresses that answer the same over HTTP."""

from collections.abc import Sequence

from anyio import to_thread

from api.access.callers import NOBODY, Caller, not_allowed
from api.access.credentials import Headers, credential_of
from api.access.lookup import identity_of, is_on
from api.access.rules import RULES, Need, Rule, demand_at
from api.parts import Parts
from api.rpc.messages import SERVICE
from shared.accounts.sessions import Sender
from shared.accounts.sight import ALL_SEEING, NO_TEAM, Sight
from shared.audit.actions import Action
from shared.errors import NotAuthenticated

# As a client sends them: texts, and bytes where the name ends in `-bin`.
Metadata = Sequence[tuple[str, str | bytes]]

_ADDRESSES = {
    "ServerLive": "GET /v2/health/live",
    "ServerReady": "GET /v2/health/ready",
    "ServerMetadata": "GET /v2",
    "ModelReady": "GET /v2/models/{model}/ready",
    "ModelMetadata": "GET /v2/models/{model}",
    "ModelInfer": "POST /v2/models/{model}/infer",
    "RepositoryIndex": "POST /v2/repository/index",
}
RULES_OF_CALLS: dict[str, Rule] = {call: RULES[address] for call, address in _ADDRESSES.items()}
# A browser makes no calls, so no cookie counts.
_BRING_CREDENTIALS = {"x-api-key", "authorization"}


class CallGate:
    """Lets calls through whose senders may make them. While there are no accounts, everybody passes."""

    def __init__(self, parts: Parts) -> None:
        self._known = parts.access.known
        self._limits = parts.limits
        self._refusals = parts.access.refusals

    async def check(self, name: str, metadata: Metadata, sender: Sender, told: dict[str, str]) -> Sight:
        """What whoever sends a call sees, if they may make it; a refusal to somebody who is known is recorded.

        Into `told` goes what the call, refused or not, is to tell of the limit that it was counted for.

        Raises:
            NotAuthenticated: when it does not say who sends it, or not in a way that is valid now.
            NotAllowed: when they may not.
            RateLimited: when they have sent too many.
            DatabaseFailure: when that is not known, and the database is away.
        """
        rule = RULES_OF_CALLS[name]
        if rule is Need.NOTHING:
            return NO_TEAM
        if not await is_on(self._known):
            return ALL_SEEING
        credential = credential_of(_headers(metadata))
        try:
            if credential is None:
                raise NotAuthenticated(f"The call has no API key and no token. {NotAuthenticated.hint}")
            identity = await identity_of(self._known, credential.text)
        except NotAuthenticated:
            await self._count(name, None, sender, told)
            raise
        await self._count(name, identity.name, sender, told)
        if not isinstance(rule, Need) and rule.isdisjoint(identity.permissions):
            caller = Caller(identity, sender)
            entry = caller.entry(Action.ACCESS_REFUSED, f"POST /{SERVICE}/{name}", refused=True)
            await to_thread.run_sync(self._refusals.note, entry)
            raise not_allowed(identity, f"call {name}")
        return identity.sight

    async def check_again(self, name: str, metadata: Metadata, sight: Sight) -> None:
        """Go on only if whoever sends a call may make it still, and sees what they saw when it was checked.

        Raises:
            NotAuthenticated: when not.
            DatabaseFailure: when that is not known, and the database is away.
        """
        rule = RULES_OF_CALLS[name]
        if rule is Need.NOTHING or (sight is ALL_SEEING and not await is_on(self._known)):
            return
        credential = credential_of(_headers(metadata))
        identity = NOBODY if credential is None else await identity_of(self._known, credential.text)
        allowed = isinstance(rule, Need) or not rule.isdisjoint(identity.permissions)
        if not allowed or identity.sight != sight:
            said = "What the sender may do was changed while the message of the call was under way."
            raise NotAuthenticated(f"{said} {NotAuthenticated.hint}")

    async def _count(self, name: str, user: str | None, sender: Sender, told: dict[str, str]) -> None:
        budget = demand_at(_ADDRESSES[name]).budget
        allowance = await self._limits.take(budget, user=user, address=sender.address)
        if allowance is not None:
            told.update(allowance.headers)
            allowance.check()


def _headers(metadata: Metadata) -> Headers:
    return [
        (name.encode(), value if isinstance(value, bytes) else value.encode(errors="surrogateescape"))
        for name, value in metadata
        if name in _BRING_CREDENTIALS
    ]
