"""Keys for single purposes, made of the one secret that the processes of a platform share."""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Protocol


class HasSecret(Protocol):
    """A key, such as that of the artifacts."""

    @property
    def secret(self) -> bytes:
        """Its bytes."""
        ...


class HasOlder(HasSecret, Protocol):
    """A key that came after others."""

    @property
    def older(self) -> Sequence[HasSecret]:
        """Those before it, the newest first."""
        ...

    @property
    def given_up(self) -> Sequence[bytes]:
        """What checks the audit record from before all of these."""
        ...


def derived_key(key: HasSecret, purpose: str) -> bytes:
    """32 bytes for that purpose alone: they tell nothing of the key, nor of those for other purposes."""
    return hmac.new(key.secret, f"mlmini derived key 1\0{purpose}".encode(), hashlib.sha256).digest()
