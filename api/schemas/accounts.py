"""Bodies of logins, users and API keys."""

from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.schemas.base import Moment, RequestBody, ResponseBody
from api.schemas.quotas import Limits
from shared.accounts.api_keys import OwnedKey
from shared.accounts.passwords import LONGEST_PASSWORD, SHORTEST_PASSWORD
from shared.accounts.permissions import Permission, Role, Scope
from shared.accounts.rows import LoginWay
from shared.accounts.sessions import IssuedTokens

_UserName = Annotated[
    str, Field(min_length=1, max_length=64, description="Lower case letters, digits and `. _ - @`.", examples=["anna"])
]
_Teams = Annotated[list[Annotated[str, Field(min_length=1, max_length=64)]], Field(max_length=50, examples=[["fraud"]])]
_Password = Annotated[
    str,
    Field(
        min_length=1,
        max_length=LONGEST_PASSWORD,
        description=f"At least {SHORTEST_PASSWORD} characters of any kind. It is kept as an Argon2id hash only.",
        examples=["three-brown-owls-at-noon"],
        json_schema_extra={"format": "password"},
    ),
]


class TokenForm(BaseModel):
    """The form of the password flow (RFC 6749, section 4.3.2); clients of OAuth 2 send the other fields, too."""

    model_config = ConfigDict(extra="forbid")

    username: str = Field(max_length=64, description="The name of the user.", examples=["anna"])
    password: str = Field(max_length=1024, description="The password.", json_schema_extra={"format": "password"})
    grant_type: Literal["password"] | None = Field(default=None, description="There is this one only.")
    scope: str | None = Field(default=None, max_length=200, description="Not used: a login has all that the role has.")
    client_id: str | None = Field(default=None, max_length=200, description="Not used.")
    client_secret: str | None = Field(default=None, max_length=200, description="Not used.")


class LoginForm(BaseModel):
    """What the page of the login sends."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=64)
    password: str = Field(max_length=1024)
    next: str = Field(default="/docs", max_length=4000)


class LeaveForm(BaseModel):
    """What the page of a login sends to end it."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(max_length=200)


class TokenAnswer(ResponseBody):
    """What a login gives (RFC 6749, section 5.1)."""

    access_token: str = Field(description="Send it as `Authorization: Bearer ...`.")
    token_type: Literal["bearer"] = Field(default="bearer", description="How the token is sent.")
    refresh_token: str = Field(description="Good for one `POST /auth/refresh`, which gives the next one.")
    expires_in: int = Field(description="For how many seconds the access token is good.")

    @classmethod
    def of_issued(cls, issued: IssuedTokens) -> Self:
        """What a login or a refresh has given."""
        return cls(access_token=issued.access_token, refresh_token=issued.refresh_token, expires_in=issued.expires_in)


class RefreshRequest(RequestBody):
    """A refresh token, to be exchanged for new tokens; clients of OAuth 2 send the other fields, too."""

    refresh_token: str = Field(min_length=1, max_length=512, description="The one of the last answer.")
    grant_type: Literal["refresh_token"] | None = Field(default=None, description="There is this one only.")
    scope: str | None = Field(default=None, max_length=200, description="Not used: a login has all that the role has.")
    client_id: str | None = Field(default=None, max_length=200, description="Not used.")
    client_secret: str | None = Field(default=None, max_length=200, description="Not used.")


class OwnPassword(RequestBody):
    """Another password for whoever is logged in."""

    current_password: str = Field(
        max_length=1024, description="The password until now.", json_schema_extra={"format": "password"}
    )
    password: _Password


class Login(ResponseBody):
    """A login that goes on."""

    id: str = Field(description="What ends it: `DELETE /me/logins/{login_id}`.", examples=["wb6Vw4uCQfmYv1X0o3cJtA"])
    began_at: Moment = Field(description="When the name and the password were given.")
    renewed_at: Moment = Field(description="When its refresh token was last exchanged, or when it began.")
    ends_at: Moment = Field(description="When it ends whatever happens.")
    current: bool = Field(description="Whether this request comes with it.")


class OwnLogins(ResponseBody):
    """The logins of a user."""

    items: list[Login] = Field(description="The latest first, and no more than a hundred.")


class Me(ResponseBody):
    """Who sends the request, as the platform sees it."""

    name: str = Field(description="The name of the user; `anonymous` while nobody has to log in.")
    role: Role = Field(description="What the user is; while nobody has to log in, everybody is an admin.")
    permissions: list[Permission] = Field(description="What the role allows, less what the scopes of a key leave out.")
    teams: list[str] = Field(description="The teams whose datasets are seen beside those that are for everybody.")
    via: str = Field(description="How it was shown: `token`, `key`, `cookie`, or `none` while nobody has to log in.")
    login_required: bool = Field(description="Whether there are accounts, so that others have to log in.")
    limits: Limits | None = Field(
        description="What the user may have and has; null while nobody has to log in, and while the database is away."
    )


class NewUser(RequestBody):
    """A user to be added."""

    name: _UserName
    password: _Password | None = Field(default=None, description="Left out for a `service`, which has API keys only.")
    login: Literal["password", "oidc"] = Field(
        default="password",
        description="With `oidc`, whoever comes first from the identity provider with that name is the user.",
    )
    role: Role = Field(description="What the user may do; `docs/security.md` has the table.", strict=False)
    kind: Literal["person", "service"] = Field(default="person", description="A service never logs in by a password.")
    teams: _Teams = Field(default=[], description="The teams that the user is in: their datasets are seen by them.")


class UserUpdate(RequestBody):
    """What is to change of a user; what is left out stays."""

    role: Role | None = Field(default=None, strict=False, description="What the user may do from now on.")
    password: _Password | None = Field(default=None, description="A new password; all logins of the user end.")
    login: Literal["oidc"] | None = Field(
        default=None,
        description="Instead of a password: who comes next from the identity provider with the name is the user.",
    )
    teams: _Teams | None = Field(default=None, description="All teams that the user is in from now on.")
    active: bool | None = Field(default=None, description="With false, nothing of the user is let in until it is true.")


class User(ResponseBody):
    """A user; never the password."""

    name: str = Field(description="The name that the user logs in with.")
    role: Role = Field(description="What the user may do.")
    kind: Literal["person", "service"] = Field(description="A service has no password, only API keys.")
    login: LoginWay = Field(description="`password`, `oidc` for the identity provider, or `none` with API keys only.")
    active: bool = Field(description="Whether the user is let in.")
    teams: list[str] = Field(description="The teams that the user is in.")
    created_at: Moment = Field(description="When the user was added.")
    updated_at: Moment = Field(description="When the user was last changed.")


class NewApiKey(RequestBody):
    """An API key to be made."""

    name: str = Field(min_length=1, max_length=64, description="What it is for.", examples=["nightly-training"])
    scopes: list[Annotated[Scope, Field(strict=False)]] = Field(
        min_length=1, max_length=len(Scope), description="What it may do, within the role of its user."
    )
    expires_at: AwareDatetime | None = Field(
        default=None, strict=False, description="When it stops to be good; left out, it has no end."
    )
    user: _UserName | None = Field(default=None, description="Whose it is; only administrators make keys of others.")


class ApiKey(ResponseBody):
    """An API key; never its secret."""

    id: int = Field(description="What it is revoked by.")
    name: str = Field(description="What it is for.")
    user: str = Field(description="Whose it is.")
    prefix: str = Field(description="What stands behind `mlm_` in the key, to tell it from others.")
    scopes: list[Scope] = Field(description="What it may do, as far as the role of its user goes.")
    created_at: Moment = Field(description="When it was made.")
    expires_at: Moment | None = Field(description="When it ends; null for never.")
    last_used_at: Moment | None = Field(description="When it was last used, give or take a minute; null for never.")
    revoked_at: Moment | None = Field(description="When it was ended for good; null while it was not.")

    @classmethod
    def from_owned(cls, owned: OwnedKey) -> Self:
        """The key as clients see it."""
        row = owned.key
        return cls(
            id=row.id,
            name=row.name,
            user=owned.user.name,
            prefix=row.prefix,
            scopes=[Scope(scope) for scope in row.scopes],
            created_at=row.created_at,
            expires_at=row.expires_at,
            last_used_at=row.last_used_at,
            revoked_at=row.revoked_at,
        )


class MadeApiKey(ApiKey):
    """A key that was made, with its secret: it is shown this once."""

    key: str = Field(description="Keep it: nobody can show it again.")
