"""Who has to log in, and whether the record of what they did is whole."""

from sqlalchemy import select

from cli.doctor.examination import CheckResult, broken, note, ok
from cli.doctor.storage import database_now
from cli.render.text import count
from shared.accounts.default_secrets import default_secrets
from shared.accounts.oidc.provider import provider_of
from shared.accounts.users import user_count
from shared.audit.chain import audit_key_of
from shared.audit.rows import AuditHeadRow
from shared.audit.verifying import verify
from shared.errors import DefaultSecrets, IdentityProviderUnavailable, PlatformError
from shared.registry.sealing import read_artifact_key
from shared.settings import PREFIX, Settings

# More take longer to read than a check may.
_MOST_READ = 50_000
_NOT_CHECKED = ("not checked: the database or the artifact key cannot be used", "Repair that first.")


def check_access(settings: Settings) -> CheckResult:
    """How many accounts there are; without one, nobody has to log in."""
    try:
        with database_now(settings) as database:
            users = 0
            if database is not None:
                with database.read() as session:
                    users = user_count(session)
    except PlatformError:
        return note("Access", *_NOT_CHECKED)
    known = ", ".join(PREFIX + name for name in default_secrets(settings))
    if users and known:
        return broken("Access", f"nothing starts with a password that everybody knows: {known}", DefaultSecrets.hint)
    if users:
        return ok("Access", f"{count(users, 'account')}: everybody has to log in")
    return ok("Access", "no accounts: whoever reaches the API may do everything")


def check_provider_logins(settings: Settings) -> CheckResult:
    """How people log in, and whether the identity provider answers if there is one."""
    provider = provider_of(settings)
    if provider is None:
        return ok("Login", "by names and passwords")
    # What speaks with it takes a while to import, and nobody else needs it.
    from shared.accounts.oidc.exchange import check_provider

    try:
        check_provider(provider)
    except IdentityProviderUnavailable as error:
        said = error.detail.removesuffix(error.hint).strip().removesuffix(".")
        return broken("Login", said, "Who is logged in stays so; `mlmini admin key` makes a key for an admin.")
    strong = f", if it says acr {' or '.join(provider.acr)}" if provider.acr else ""
    return ok("Login", f"through {provider.host}, which leads back to {provider.redirect_uri}{strong}")


def check_record(settings: Settings) -> CheckResult:
    """The audit record, read through unless it is long."""
    try:
        key = read_artifact_key(settings)
        with database_now(settings) as database:
            if database is None or key is None:
                return ok("Audit record", "begins with the first account")
            with database.read() as session:
                entries = session.scalar(select(AuditHeadRow.count)) or 0
                if entries > _MOST_READ:
                    return ok(
                        "Audit record", f"{entries:,} entries, too many for a look: `mlmini audit verify` reads them"
                    )
                found = verify(session, audit_key_of(key))
    except PlatformError:
        return note("Audit record", *_NOT_CHECKED)
    if not found.whole:
        return broken(
            "Audit record",
            f"not whole from entry {found.seq} on",
            f"{found.problem} Keep what is there as evidence, and compare it with a backup.",
        )
    return ok("Audit record", f"whole, {found.head.count:,} {'entry' if found.head.count == 1 else 'entries'}")
