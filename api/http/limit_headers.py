"""The headers that tell clients about limits (draft-ietf-httpapi-ratelimit-headers-10)."""

from shared.errors import LimitPolicy, PlatformError, TooMany

# Numbers in headers have fifteen digits at most (RFC 9651).
_MOST = 10**15 - 1


def limit_headers(policy: LimitPolicy, *, left: int, seconds: int | None) -> dict[str, str]:
    """The headers of one limit: how much is allowed, how much is left, and until when, if that is known."""
    window = "" if policy.window is None else f";w={policy.window}"
    unit = "" if policy.unit is None else f';qu="{policy.unit}"'
    until = "" if seconds is None else f";t={seconds}"
    return {
        "RateLimit-Policy": f'"{policy.name}";q={min(policy.quota, _MOST)}{window}{unit}',
        "RateLimit": f'"{policy.name}";r={min(left, _MOST)}{until}',
    }


def waiting_headers(error: PlatformError) -> dict[str, str]:
    """The headers of an error that say when to ask again, and which limit is used up, as far as that is known."""
    seconds: int | None = error.members.get("retry_after")
    headers = {} if seconds is None else {"Retry-After": str(seconds)}
    policy = error.policy if isinstance(error, TooMany) else None
    if policy is None:
        return headers
    members = error.members
    left = max(0, int(members["limit"] - members["used"])) if {"limit", "used"} <= members.keys() else 0
    return headers | limit_headers(policy, left=left, seconds=seconds)
