"""Keeps a platform from being reached by others while nobody has to log in, or with passwords that everybody knows."""

from shared.accounts.default_secrets import default_secrets
from shared.accounts.openness import may_be_open, reached_at
from shared.accounts.users import user_count
from shared.database import Database
from shared.errors import DefaultSecrets, WrongSettings
from shared.hosts import is_loopback
from shared.settings import PREFIX, Settings


def check_exposure(database: Database, settings: Settings) -> None:
    """Refuse an address that others can reach while there are no accounts, unless the settings allow it.

    Raises:
        WrongSettings: when it is refused.
        DatabaseUnavailable: when the database does not answer.
    """
    if may_be_open(settings, settings.host) or _has_users(database):
        return
    address, variable = reached_at(settings)
    if is_loopback(address):
        address, variable = settings.host, "MLMINI_HOST"
    raise WrongSettings(
        f"{variable}: on {address}, others could do everything, because there are no accounts. Make the first "
        f"one with `mlmini admin create` or with MLMINI_ADMIN_PASSWORD_FILE, or set {variable} to 127.0.0.1. "
        "MLMINI_ALLOW_OPEN=1 is for a network that keeps strangers out by itself."
    )


def check_secrets(database: Database, settings: Settings) -> None:
    """Refuse passwords that everybody knows, unless this is development: on one machine, without accounts.

    Raises:
        WrongSettings: when they are refused; it names the settings.
        DatabaseUnavailable: when the database does not answer.
    """
    found = default_secrets(settings)
    if not found:
        return
    reason = _outside_development(settings) or ("there are accounts" if _has_users(database) else None)
    if reason is not None:
        raise WrongSettings(_known_to_all(found, f"here {reason}"))


def check_secrets_for_accounts(settings: Settings) -> None:
    """Refuse to make an account while there are passwords that everybody knows: no process would start after that.

    Raises:
        DefaultSecrets: when there are some; it names the settings.
    """
    found = default_secrets(settings)
    if found:
        raise DefaultSecrets(_known_to_all(found, "there would be accounts"))


def _known_to_all(found: list[str], reason: str) -> str:
    *others, last = [PREFIX + name for name in found]
    names = f"{', '.join(others)} and {last}" if others else last
    return (
        f"{names}: the password is one that everybody knows. That is for development, on one machine and without "
        f"accounts, and {reason}. {DefaultSecrets.hint}"
    )


def _outside_development(settings: Settings) -> str | None:
    """Why the settings are not those of development; None if they may be."""
    address, variable = reached_at(settings)
    if not is_loopback(address):
        return f"others reach the platform, since {variable} is {address}"
    if settings.admin_password_file is not None:
        return "MLMINI_ADMIN_PASSWORD_FILE gives the platform an admin"
    if settings.oidc_issuer is not None:
        return "people log in through MLMINI_OIDC_ISSUER"
    return None


def _has_users(database: Database) -> bool:
    with database.read() as session:
        return bool(user_count(session))
