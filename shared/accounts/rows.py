"""The rows of accounts."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.clock import Instant, Now
from shared.database import Base


class AccountKind(StrEnum):
    """What an account is for: a service has no password, only API keys."""

    PERSON = "person"
    SERVICE = "service"


class LoginWay(StrEnum):
    """How one logs in to an account."""

    PASSWORD = "password"  # noqa: S105 - a name
    OIDC = "oidc"
    NONE = "none"


class UserRow(Base):
    """One account. The row stays when the account is deleted, so that names in the audit record keep their meaning."""

    __tablename__ = "users"
    __table_args__ = (Index("ix_users_issuer", "issuer", "subject", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    role: Mapped[str] = mapped_column(String(16))
    password_hash: Mapped[str | None] = mapped_column(String(256))
    # The identity provider that the user logs in through, and the user's id there, known since the first login.
    issuer: Mapped[str | None] = mapped_column(String(512))
    subject: Mapped[str | None] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True)
    teams: Mapped[list[str]] = mapped_column(JSON, default=list, server_default=text("'[]'"))
    # Raised by every change; tokens of an earlier epoch are void.
    session_epoch: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(Instant, default=Now())
    updated_at: Mapped[datetime] = mapped_column(Instant, default=Now())
    deleted_at: Mapped[datetime | None] = mapped_column(Instant)

    @property
    def login(self) -> LoginWay:
        """How the user logs in."""
        if self.issuer is not None:
            return LoginWay.OIDC
        return LoginWay.NONE if self.password_hash is None else LoginWay.PASSWORD


class ApiKeyRow(Base):
    """One API key. Only the digest of its secret part is stored, not the key itself."""

    __tablename__ = "api_keys"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"), index=True)
    name: Mapped[str] = mapped_column(String(64))
    prefix: Mapped[str] = mapped_column(String(16), unique=True)
    key_hash: Mapped[str] = mapped_column(String(64))
    scopes: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(Instant, default=Now())
    expires_at: Mapped[datetime | None] = mapped_column(Instant)
    last_used_at: Mapped[datetime | None] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)


class LoginSessionRow(Base):
    """One login, which goes on with each refresh."""

    __tablename__ = "login_sessions"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"), index=True)
    refresh_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(Instant, default=Now())
    # When the person last showed who they are; not known where an identity provider does not tell.
    authenticated_at: Mapped[datetime | None] = mapped_column(Instant)
    refreshed_at: Mapped[datetime] = mapped_column(Instant, default=Now())
    expires_at: Mapped[datetime] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)
    why: Mapped[str | None] = mapped_column(String(32))


class UsedRefreshTokenRow(Base):
    """A refresh token that was exchanged for the next one: whoever shows it again has stolen it, or was robbed."""

    __tablename__ = "used_refresh_tokens"

    refresh_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("login_sessions.id", ondelete="CASCADE"), index=True)


class DatasetHolderRow(Base):
    """The owner of a dataset, who uploaded its first version, and the team that it is kept for; without one, for all.

    A row with a team stays when the dataset is deleted, so that its name and what is left of it stay the team's.
    """

    __tablename__ = "dataset_holders"

    dataset_name: Mapped[str] = mapped_column(String(64), primary_key=True)
    owner: Mapped[str | None] = mapped_column(String(64))
    team: Mapped[str | None] = mapped_column(String(64))
