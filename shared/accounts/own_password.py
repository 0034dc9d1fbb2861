"""How users change their own password."""

from shared.accounts.passwords import Passwords
from shared.accounts.refusals import CountedRefusals
from shared.accounts.sessions import Sender
from shared.accounts.users import change_user, find_user
from shared.audit.actions import Action, AuditOutcome, Via
from shared.audit.recording import AuditEntry, record
from shared.database import Database
from shared.errors import WrongPassword


def change_own_password(
    database: Database,
    passwords: Passwords,
    refusals: CountedRefusals,
    name: str,
    *,
    current: str,
    new: str,
    sender: Sender,
) -> None:
    """Change the password of a user who knows the present one. Hashing is slow, so no transaction is open meanwhile.

    Raises:
        WrongPassword: when `current` is not the password, or the user has none.
        WeakPassword: when the new one is.
        UserChanged: when the user was changed meanwhile.
        UnknownUser: when the user was deleted meanwhile.
        TooManyLogins: when too many passwords are compared at present.
        DatabaseUnavailable: when the database does not answer.
    """
    with database.read() as session:
        user = find_user(session, name)
    right = passwords.check(current, user.password_hash).right
    if not right:
        refusals.note(_entry(name, sender, AuditOutcome.REFUSED))
        raise WrongPassword
    hashed = passwords.hashed(new, name=name)
    with database.write() as session:
        change_user(session, name, password=hashed, expected_epoch=user.session_epoch)
        record(session, _entry(name, sender, AuditOutcome.DONE))


def _entry(name: str, sender: Sender, outcome: AuditOutcome) -> AuditEntry:
    return AuditEntry(
        action=Action.USER_CHANGED,
        subject=f"user {name}",
        actor=name,
        via=Via.PASSWORD,
        after={"password": "changed"} if outcome is AuditOutcome.DONE else None,
        outcome=outcome,
        **vars(sender),
    )
