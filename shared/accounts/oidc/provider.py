"""Which identity provider there is, and what is taken from it, as the settings say."""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from shared.accounts.password_file import password_of_file
from shared.accounts.permissions import Role
from shared.errors import WrongSettings, did_you_mean
from shared.hosts import known_names, name_of
from shared.settings import Settings

CALLBACK = "/login/oidc/callback"

_MOST_GROUPS = 1000
# Names, numbers and URIs.
_ACR = re.compile(r"[A-Za-z0-9_.:/?#@!$&*+=;%~-]+")


@dataclass(frozen=True)
class Provider:
    """One identity provider. Without `roles`, users keep the role that an admin gave them."""

    issuer: str
    client_id: str
    public_url: str
    scopes: str
    name_claim: str
    groups_claim: str
    roles: Mapping[str, Role]
    new_users: bool
    secret: str | None = field(default=None, repr=False)
    # The kinds of logins that are accepted (`acr`); all where none are named.
    acr: tuple[str, ...] = ()

    @property
    def host(self) -> str:
        """What people are told of it."""
        return urlsplit(self.issuer).netloc

    @property
    def redirect_uri(self) -> str:
        """Where it leads browsers back to; the provider has to know it."""
        return self.public_url + CALLBACK

    def role_of(self, groups: Collection[str]) -> Role | None:
        """The highest of the roles that groups have; None where none of them has one."""
        found = {self.roles[group] for group in groups if group in self.roles}
        return next((role for role in reversed(Role) if role in found), None)


@dataclass(frozen=True)
class Arrival:
    """Who the provider says has come."""

    issuer: str
    subject: str
    # None where the provider gives none, or one that nobody has confirmed.
    name: str | None
    groups: frozenset[str]
    # When the provider asked the person, in seconds since 1970; None where it does not tell.
    asked_at: int | None = None


def provider_of(settings: Settings) -> Provider | None:
    """The provider of these settings, None where there is none.

    Raises:
        WrongSettings: naming the variable that is missing or wrong.
    """
    if settings.oidc_issuer is None:
        names = ("client_id", "client_secret_file", "acr", "roles")
        given = [name for name in names if getattr(settings, f"oidc_{name}")]
        if given:
            raise WrongSettings(f"MLMINI_OIDC_ISSUER: it is missing, and MLMINI_OIDC_{given[0].upper()} is set.")
        return None
    if not settings.oidc_client_id:
        raise WrongSettings("MLMINI_OIDC_CLIENT_ID: it is missing. It is the name under which the provider knows you.")
    scopes = settings.oidc_scopes.split()
    if "openid" not in scopes:
        raise WrongSettings("MLMINI_OIDC_SCOPES: openid has to be among them, with spaces between.")
    roles = _roles_of(settings.oidc_roles)
    if settings.oidc_new_users and not roles:
        raise WrongSettings("MLMINI_OIDC_NEW_USERS: new users have no role without MLMINI_OIDC_ROLES. Set both.")
    secret = settings.oidc_client_secret_file
    return Provider(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        public_url=_public_url(settings),
        scopes=" ".join(scopes),
        name_claim=settings.oidc_name_claim,
        groups_claim=settings.oidc_groups_claim,
        roles=roles,
        new_users=settings.oidc_new_users,
        secret=None if secret is None else password_of_file(secret, called="MLMINI_OIDC_CLIENT_SECRET_FILE"),
        acr=_acr_of(settings.oidc_acr),
    )


def _public_url(settings: Settings) -> str:
    if settings.public_url is None:
        raise WrongSettings(
            "MLMINI_PUBLIC_URL: it is missing. It is what browsers have before the path, such as "
            "https://ml.example.org or http://127.0.0.1:8000, and the provider leads them back there."
        )
    name = name_of(urlsplit(settings.public_url).netloc)
    if name not in known_names(host=settings.host, allowed=settings.allowed_hosts):
        raise WrongSettings(
            f"MLMINI_PUBLIC_URL: the platform does not answer to {name}. Add it to MLMINI_ALLOWED_HOSTS."
        )
    return settings.public_url


def _acr_of(text: str | None) -> tuple[str, ...]:
    given = () if text is None else tuple(text.split())
    # A list of JSON, or one with commas, would be a value that no provider says, and keep everybody out.
    if text is not None and not (given and all(map(_ACR.fullmatch, given))):
        raise WrongSettings(
            "MLMINI_OIDC_ACR: It must be values of the claim acr with spaces between, and no commas or quotes, such as "
            "gold or https://refeds.org/profile/mfa."
        )
    return given


def _roles_of(text: str | None) -> dict[str, Role]:
    if text is None:
        return {}
    form = 'It must be an object of JSON from groups to roles, such as {"ml-admins": "admin", "ml-team": "trainer"}'
    try:
        given = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise WrongSettings(f"MLMINI_OIDC_ROLES: {form}, with each group once.") from None
    if not isinstance(given, dict) or not 0 < len(given) <= _MOST_GROUPS:
        raise WrongSettings(f"MLMINI_OIDC_ROLES: {form}.")
    known = [role.value for role in Role]
    for group, role in given.items():
        if role not in known:
            near = did_you_mean(role, known) if isinstance(role, str) else ""
            raise WrongSettings(
                f"MLMINI_OIDC_ROLES: the group '{group[:64]}' has no role that there is.{near} "
                f"The roles are {', '.join(known)}."
            )
    return {group: Role(role) for group, role in given.items()}


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a group stands twice")
    return found
