"""Keys for single purposes, made of the one secret that the processes of a platform share."""

import hashlib
import hmac
from typing import Protocol


class HasSecret(Protocol):
    """A key, such as that of the artifacts."""

    @property
    def secret(self) -> bytes:
        """Its bytes."""
        ...


def derived_key(key: HasSecret, purpose: str) -> bytes:
    """32 bytes for that purpose alone: they tell nothing of the key, nor of those for other purposes."""
    return hmac.new(key.secret, f"mlmini derived key 1\0{purpose}".encode(), hashlib.sha256).digest()
