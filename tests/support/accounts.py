"""Users and what they log in with, made at little cost."""

from functools import cache

from shared.accounts.passwords import HashedPassword, PasswordCost, Passwords
from shared.accounts.permissions import Role
from shared.accounts.refusals import CountedRefusals
from shared.accounts.rows import AccountKind
from shared.accounts.sessions import Logins
from shared.accounts.tokens import AccessTokens
from shared.accounts.users import create_user
from shared.audit.chain import AuditKey, use_key
from shared.database import Database

# A hash of these takes no time worth telling; it is not to be used for real passwords.
CHEAP = PasswordCost(memory_kib=8, passes=1)
PASSWORD = "seven quiet otters"
KEY = AuditKey(b"k" * 32)
TOKENS = AccessTokens(b"t" * 32)


@cache
def cheap_passwords() -> Passwords:
    """What hashes and compares in tests in which the cost is not the point."""
    return Passwords(CHEAP)


@cache
def hashed(password: str = PASSWORD) -> HashedPassword:
    """A password as it is stored."""
    return cheap_passwords().hashed(password, name="nobody")


def recorded(database: Database) -> Database:
    """The database, whose sessions can add to the audit record."""
    use_key(database, KEY)
    return database


def logins(database: Database, refusals: CountedRefusals | None = None) -> Logins:
    """What logs users in."""
    return Logins(recorded(database), TOKENS, cheap_passwords(), refusals or CountedRefusals(database))


def add_user(database: Database, name: str, role: Role = Role.VIEWER, *, service: bool = False) -> None:
    """A user with the usual password, or a service without one."""
    kind = AccountKind.SERVICE if service else AccountKind.PERSON
    with database.write() as session:
        create_user(session, name, role=role, password=None if service else hashed(), kind=kind)
