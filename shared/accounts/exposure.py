"""Whether a platform may be reached from elsewhere: not while nobody has to log in."""

from shared.accounts.users import user_count
from shared.database import Database
from shared.errors import WrongSettings
from shared.hosts import is_loopback
from shared.settings import Settings


def check_exposure(database: Database, settings: Settings) -> None:
    """Refuse an address that others reach while there are no accounts, unless the settings say that it is meant.

    Raises:
        WrongSettings: when it is refused.
        DatabaseUnavailable: when the database does not answer.
    """
    if settings.allow_open or is_loopback(settings.host):
        return
    with database.read() as session:
        if user_count(session):
            return
    raise WrongSettings(
        f"MLMINI_HOST: on {settings.host}, others could do everything, because there are no accounts. Make the first "
        "one with `mlmini admin create` or with MLMINI_ADMIN_PASSWORD_FILE, or set MLMINI_HOST to 127.0.0.1. "
        "MLMINI_ALLOW_OPEN=1 is for a network that keeps strangers out by itself."
    )
