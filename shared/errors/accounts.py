"""Errors of accounts and of access."""

from shared.errors.tree import Conflict, Invalid, PlatformError, TooMany, Unavailable, Unknown


class NotAuthenticated(PlatformError):
    """The request has no API key and no token, or none that is valid."""

    hint = (
        "Send an API key as `X-API-Key`, or a token as `Authorization: Bearer`. `/auth/token` gives one for a name and "
        "a password. It is valid for a quarter of an hour; `/auth/refresh` gives the next one."
    )


class NotAllowed(PlatformError):
    """The role of the user, or the scopes of the API key, do not allow this."""

    hint = "`/me` says what you may do. Ask an admin for another role, or use another API key."


class LoginTooOld(PlatformError):
    """What changes who can log in takes a login of the last quarter of an hour: an open page may be somebody else's."""

    hint = (
        "Log in again and repeat the request: `/auth/token` gives a new token, and so do `mlmini login` and, in a "
        "browser, Log out and the form at `/login`. Where people log in through an identity provider, open "
        "`/login/oidc?fresh=true` in the browser, which has that ask you anew. An API key with the scope admin needs "
        "no login."
    )


class TooManyLogins(TooMany):
    """There were too many tries to log in, with this name from your address, or from your address in all."""

    hint = "Wait as long as `retry_after` says. Others do not have to wait, nor does anybody who is logged in."


class UnknownUser(Unknown):
    """There is no user of that name."""

    hint = "Look at the list of users, `/users`."


class NoAccounts(Conflict):
    """There are no accounts yet. The first user has to be one who can make the others, and API keys belong to users."""

    hint = "Add a user with the role `admin` and a password first: by `/users`, or by `mlmini admin create`."


class DefaultSecrets(Conflict):
    """A password of the database, of Redis or of the object store is one that everybody knows. With accounts, nothing
    would start any more: such passwords are for one machine and for nobody else.
    """

    hint = (
        "Give each a password of its own first, as docs/operations.md says under 'For others'. With docker compose "
        "they are `POSTGRES_PASSWORD`, `REDIS_PASSWORD` and `MLMINI_S3_SECRET_KEY`."
    )


class UserExists(Conflict):
    """There is a user of that name already."""

    hint = "Choose another name, or change the user that is there."


class UserChanged(Conflict):
    """Somebody else has changed the user since it was looked at; nothing was changed now."""

    hint = "Look at the user again, and send the change again if it is still meant."


class LastAdmin(Conflict):
    """Without this user nobody could log in as an admin any more."""

    hint = "Give another active user with a password the role admin first."


class WeakPassword(Invalid):
    """The password is too short, too long, or one that is tried first."""

    hint = "Choose 12 to 128 characters of any kind: a few words that nobody would put together are good."


class WrongPassword(Invalid):
    """The present password is another one than was sent, or the user has none. Nothing was changed."""

    hint = "Send the password that you log in with. Somebody with the role admin can set another one."


class UnknownLogin(Unknown):
    """You have no such login, or it has ended."""

    hint = "Look at the list of your logins, `/me/logins`."


class InvalidUserName(Invalid):
    """The name is not one that a user can have."""

    hint = "Use 1 to 64 of a-z, 0-9, '.', '_', '-' and '@', with a letter or a digit first, such as 'anna.lang'."


class UnknownApiKey(Unknown):
    """There is no API key of that id, or it belongs to somebody else."""

    hint = "Look at the list of keys, `/api-keys`."


class ScopeBeyondRole(Invalid):
    """The API key would have scopes that the role of its user does not allow."""

    hint = "Choose among the scopes that `available` lists, or ask an admin for another role."


class InvalidExpiry(Invalid):
    """The API key would expire at a moment that is past."""

    hint = "Give a moment in the future, such as 2030-01-01T00:00:00Z, or leave it out for a key that does not expire."


class PasswordLoginOff(Invalid):
    """People log in through the identity provider of this platform, and nobody by a password."""

    hint = (
        "Log in with a browser at `/login`. Programs send an API key, as `/api-keys` makes one; on the machine of "
        "the platform, `mlmini admin key` makes one for an admin without the provider."
    )


class NoIdentityProvider(Unknown):
    """This platform has no identity provider to log in through."""

    hint = "Log in with name and password at `/login`, or have MLMINI_OIDC_ISSUER set."


class IdentityProviderUnavailable(Unavailable):
    """The identity provider does not answer, or not as it should. Who is logged in stays so, and API keys go on."""

    hint = "Try again later at `/login`; `mlmini doctor` says how it is."


class LoginRefused(Invalid):
    """A login through the identity provider did not lead to an account of this platform."""

    hint = "Begin again at `/login`. If it is refused again, ask somebody with the role admin."
