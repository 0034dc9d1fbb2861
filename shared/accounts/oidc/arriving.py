"""From an arrival to a login, in one transaction with what the audit record tells of it."""

from datetime import UTC, datetime

from sqlalchemy import select

from shared.accounts.oidc.attempts import LoginAttempt, LoginAttempts
from shared.accounts.oidc.exchange import ProviderExchange
from shared.accounts.oidc.linking import linked_user, refused_for
from shared.accounts.oidc.provider import Arrival, Provider
from shared.accounts.permissions import Role
from shared.accounts.refusals import CountedRefusals
from shared.accounts.sessions import IssuedTokens, Sender, begin_session, log_out
from shared.accounts.tokens import AccessTokens
from shared.accounts.users import change_role
from shared.audit.actions import ANONYMOUS, Action, AuditOutcome, Via
from shared.audit.recording import AuditEntry, record
from shared.clock import Now
from shared.database import Database
from shared.errors import PlatformError, UserExists
from shared.key_derivation import HasSecret


class ProviderLogins:
    """Logs in who comes from one identity provider. Its transactions are its own; none is open while that is asked."""

    def __init__(
        self, provider: Provider, database: Database, tokens: AccessTokens, key: HasSecret, refusals: CountedRefusals
    ) -> None:
        self.provider = provider
        self._refusals = refusals
        self.attempts = LoginAttempts(key)
        self.exchange = ProviderExchange(provider)
        self._database = database
        self._tokens = tokens

    def now(self) -> float:
        """The moment by the clock of the database, which no clock of a machine moves.

        Raises:
            DatabaseUnavailable: when the database does not answer.
        """
        with self._database.read() as session:
            return session.execute(select(Now())).scalar_one().timestamp()

    def log_in(self, arrival: Arrival, attempt: LoginAttempt, sender: Sender, *, seconds: int) -> IssuedTokens:
        """Begin a login, whose access token is valid for so many seconds. The groups decide on the role, if they may.

        Raises:
            LoginRefused: when there is no such user, or it may not log in, or the attempt had its login.
            DatabaseUnavailable: when the database does not answer.
        """
        role = self.provider.role_of(arrival.groups)
        if self.provider.roles and role is None:
            claim = self.provider.groups_claim
            none = f"The identity provider gives no groups in the claim {claim}."
            raise refused_for(
                "None of your groups at the identity provider has a role here." if arrival.groups else none
            )
        try:
            return self._begun(arrival, role, attempt, sender, seconds)
        except UserExists:
            # Another login of the same person has just made the user.
            return self._begun(arrival, role, attempt, sender, seconds)

    def _begun(
        self, arrival: Arrival, role: Role | None, attempt: LoginAttempt, sender: Sender, seconds: int
    ) -> IssuedTokens:
        with self._database.write() as session:
            user, is_new = linked_user(session, arrival, self.provider, role)
            if not user.active:
                raise refused_for(f"The user '{user.name}' may not log in here at present.")
            before = user.role
            if role is not None and role != before:
                change_role(session, user, role)
            asked = None if arrival.asked_at is None else datetime.fromtimestamp(arrival.asked_at, UTC)
            issued = begin_session(
                session, user, self._tokens, seconds=seconds, authenticated_at=asked, session_id=attempt.session_id
            )
            if issued is None:
                raise refused_for("This login was used already.")
            if is_new:
                linked = {"role": user.role, "issuer": arrival.issuer}
                record(session, _entry(Action.USER_LINKED, user.name, sender, after=linked))
            if user.role != before:
                told = {"before": {"role": before}, "after": {"role": user.role}}
                record(session, _entry(Action.USER_CHANGED, user.name, sender, **told))
            if attempt.before:
                log_out(session, attempt.before, sender)
            record(session, _entry(Action.LOGIN, user.name, sender, after={"issuer": arrival.issuer}))
        return issued

    def note_refusal(self, error: PlatformError, name: str | None, sender: Sender) -> None:
        """Have the record tell of a login that was refused, and why."""
        told = {"issuer": self.provider.issuer, "reason": error.detail.removesuffix(error.hint).strip()}
        entry = AuditEntry(
            action=Action.LOGIN_REFUSED,
            subject="an unknown user" if name is None else f"user {name}",
            actor=ANONYMOUS,
            via=Via.OIDC,
            outcome=AuditOutcome.REFUSED,
            after=told,
            **vars(sender),
        )
        self._refusals.note(entry)


def _entry(action: Action, name: str, sender: Sender, *, before: object = None, after: object = None) -> AuditEntry:
    told = {"before": before, "after": after, **vars(sender)}
    return AuditEntry(action=action, subject=f"user {name}", actor=name, via=Via.OIDC, **told)
