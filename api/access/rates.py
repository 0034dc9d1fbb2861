"""How many requests a minute a user may send, or an address whose senders are not known."""

from typing import NamedTuple

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

from api.access.buckets import WINDOW_SECONDS, Rate, SharedBuckets, Taken
from api.access.rules import Budget
from api.http.limit_headers import limit_headers
from shared.accounts.networks import network_of
from shared.errors import LimitPolicy, RateLimited
from shared.settings import Settings

_SETTINGS = {Budget.REQUESTS: "MLMINI_RATE_LIMIT", Budget.PREDICTIONS: "MLMINI_PREDICT_RATE_LIMIT"}


class RequestAllowance(NamedTuple):
    """Whether a request is within its limit, and what is left of that."""

    budget: Budget
    who: str
    taken: Taken

    def check(self) -> None:
        """Go on only if the request is within the limit.

        Raises:
            RateLimited: when not, with the seconds to wait.
        """
        limit, seconds = self.taken.limit, self.taken.seconds
        if not self.taken.passes:
            raise RateLimited(
                f"There were more than {limit:,} {self.budget} a minute from {self.who}. Wait for {seconds} s and send "
                f"it again, or have {_SETTINGS[self.budget]} raised.",
                limit=limit,
                setting=_SETTINGS[self.budget],
                retry_after=seconds,
                policy=self.policy,
            )

    @property
    def policy(self) -> LimitPolicy:
        """The limit, as headers name it."""
        return LimitPolicy(str(self.budget), self.taken.limit, WINDOW_SECONDS)

    @property
    def headers(self) -> dict[str, str]:
        """What an answer tells of it."""
        return limit_headers(self.policy, left=self.taken.remaining, seconds=self.taken.seconds)

    def told_by(self, send: Send) -> Send:
        """Add the headers of the limit to an answer, before those of other limits."""
        told = self.headers

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in told.items():
                    other = headers.get(name, value)
                    headers[name] = value if other == value else f"{value}, {other}"
            await send(message)

        return send_with_headers


class RateLimits:
    """The limits that the settings name; 0 means none."""

    def __init__(self, settings: Settings, buckets: SharedBuckets) -> None:
        limits = {Budget.REQUESTS: settings.rate_limit, Budget.PREDICTIONS: settings.predict_rate_limit}
        self._rates = {budget: Rate(limit) for budget, limit in limits.items() if limit}
        self._buckets = buckets

    def per_minute(self, budget: Budget) -> int | None:
        """The limit of a budget; None where there is none."""
        rate = self._rates.get(budget)
        return None if rate is None else rate.limit

    async def take(self, budget: Budget, *, user: str | None, address: str | None) -> RequestAllowance | None:
        """Count a request for its user, or for its address if there is none; None where there is no limit.

        A request with a credential that is nobody's counts for its address, so it cannot use up what others have.
        """
        rate = self._rates.get(budget)
        if rate is None:
            return None
        place = network_of(address or "")
        key, who = (f"user:{user}", f"'{user}'") if user is not None else (f"address:{place}", f"the address {place}")
        taken = await self._buckets.take(f"{budget}:{key}", rate, is_user=user is not None)
        return RequestAllowance(budget, who, taken)
