"""What logins and credentials are checked with, of one process."""

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from api.access.admission import Admission
from api.access.counts import SharedCounts
from api.access.tries import SharedTries
from shared.accounts.exposure import check_exposure
from shared.accounts.known import KnownCredentials
from shared.accounts.oidc.provider import provider_of
from shared.accounts.passwords import Passwords
from shared.accounts.sessions import Logins
from shared.accounts.tokens import AccessTokens, access_tokens_of
from shared.database import Database
from shared.errors import DatabaseFailure
from shared.key_derivation import HasSecret
from shared.logging import get_logger
from shared.settings import Settings

if TYPE_CHECKING:
    from shared.accounts.oidc.arriving import ProviderLogins

log = get_logger(__name__)

# How often it is written down which API keys were used.
_USES_SECONDS = 60


@dataclass(frozen=True)
class Access:
    """Who is known, and how somebody gets to be."""

    known: KnownCredentials
    admission: Admission
    passwords: Passwords
    logins: Logins
    # Belong to the event loop, which closes them.
    counts: SharedCounts
    tries: SharedTries
    # None where people log in by a password.
    provider: "ProviderLogins | None"
    _closed: threading.Event
    _writer: threading.Thread

    @classmethod
    def open(cls, database: Database, key: HasSecret, settings: Settings) -> Self:
        """Ready to check; a thread writes down now and then which keys were used, until `close`.

        Raises:
            WrongSettings: when others reach this process, and nobody would have to log in; and when the settings of
                the identity provider are wrong.
            DatabaseUnavailable: when the database does not answer.
        """
        check_exposure(database, settings)
        tokens, passwords = access_tokens_of(key), Passwords()
        known = KnownCredentials(database, tokens, settings.access_grace_seconds)
        logins, closed = Logins(database, tokens, passwords), threading.Event()
        provider = _provider_logins(database, tokens, key, settings)
        writer = threading.Thread(target=_write_uses, args=[known, closed], name="key-uses", daemon=True)
        writer.start()
        counts = SharedCounts(settings)
        return cls(
            known, Admission(known), passwords, logins, counts, SharedTries(counts, key), provider, closed, writer
        )

    def close(self) -> None:
        """Write down what is left to write, and stop; the database is needed until then."""
        self._closed.set()
        self._writer.join()


def _provider_logins(
    database: Database, tokens: AccessTokens, key: HasSecret, settings: Settings
) -> "ProviderLogins | None":
    provider = provider_of(settings)
    if provider is None:
        return None
    # What checks signatures takes a while to import, and nobody else needs it. The provider need not be up.
    from shared.accounts.oidc.arriving import ProviderLogins

    log.info("logins_by_provider", issuer=provider.issuer, redirect_uri=provider.redirect_uri)
    return ProviderLogins(provider, database, tokens, key)


def _write_uses(known: KnownCredentials, closed: threading.Event) -> None:
    ended = False
    while not ended:
        ended = closed.wait(_USES_SECONDS)
        try:
            known.write_uses()
        except DatabaseFailure:
            log.warning("key_uses_not_written")
