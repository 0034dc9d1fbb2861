"""What one process checks logins and credentials with."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from api.access.admission import Admission
from api.access.counts import SharedCounts
from api.access.tries import SharedTries
from shared.accounts.exposure import check_exposure, check_secrets
from shared.accounts.known import KnownCredentials
from shared.accounts.oidc.provider import provider_of
from shared.accounts.passwords import Passwords
from shared.accounts.refusals import CountedRefusals
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

# How often the uses of API keys and the counts of refusals are written to the database.
_WRITE_SECONDS = 60


@dataclass(frozen=True)
class Access:
    """Everything that tells who a caller is: credentials, logins, and what is counted of them."""

    known: KnownCredentials
    admission: Admission
    passwords: Passwords
    refusals: CountedRefusals
    logins: Logins
    # These two belong to the event loop, which closes them.
    counts: SharedCounts
    tries: SharedTries
    # None where people log in by a password.
    provider: "ProviderLogins | None"
    _closed: threading.Event
    _writer: threading.Thread

    @classmethod
    def open(cls, database: Database, key: HasSecret, settings: Settings) -> Self:
        """Make everything ready, and start a thread that writes the counts to the database until `close`.

        Raises:
            WrongSettings: when others reach this process though nobody would have to log in; when there are passwords
                that everybody knows; when the settings of the identity provider are wrong.
            DatabaseUnavailable: when the database does not answer.
        """
        check_secrets(database, settings)
        check_exposure(database, settings)
        tokens, passwords, refusals = access_tokens_of(key), Passwords(), CountedRefusals(database)
        known, counts = KnownCredentials(database, tokens, settings.access_grace_seconds), SharedCounts(settings)
        if not known.is_on():
            log.info("nobody_has_to_log_in", host=settings.host, first_account="mlmini admin create")
        provider = _provider_logins(database, tokens, key, settings, refusals)
        acts, closed = {"key_uses": known.write_uses, "refusals": refusals.write_counts}, threading.Event()
        writer = threading.Thread(target=_write, args=[acts, closed], name="access-writer", daemon=True)
        writer.start()
        return cls(
            known=known,
            admission=Admission(known),
            passwords=passwords,
            refusals=refusals,
            logins=Logins(database, tokens, passwords, refusals),
            counts=counts,
            tries=SharedTries(counts, key),
            provider=provider,
            _closed=closed,
            _writer=writer,
        )

    def close(self) -> None:
        """Write what is left, and stop. The database has to stay open until then."""
        self._closed.set()
        self._writer.join()


def _provider_logins(
    database: Database, tokens: AccessTokens, key: HasSecret, settings: Settings, refusals: CountedRefusals
) -> "ProviderLogins | None":
    provider = provider_of(settings)
    if provider is None:
        return None
    # Imported only where it is needed: what checks signatures takes a while to import. The provider need not be up.
    from shared.accounts.oidc.arriving import ProviderLogins

    log.info("logins_by_provider", issuer=provider.issuer, redirect_uri=provider.redirect_uri)
    return ProviderLogins(provider, database, tokens, key, refusals)


def _write(acts: Mapping[str, Callable[[], None]], closed: threading.Event) -> None:
    ended = False
    while not ended:
        ended = closed.wait(_WRITE_SECONDS)
        for what, act in acts.items():
            try:
                act()
            except DatabaseFailure:
                log.warning("not_yet_written", what=what)
