"""What the command line asks of the API for logins."""

from cli.client.request import Call


def log_in(name: str, password: str) -> Call:
    """Exchange a name and a password for tokens."""
    # Each try counts.
    return Call("POST", "/auth/token", fields={"username": name, "password": password}, repeatable=False)


def refresh(refresh_token: str) -> Call:
    """Exchange a refresh token for new tokens."""
    # It is good once, and the login ends when it comes again.
    return Call("POST", "/auth/refresh", body={"refresh_token": refresh_token}, repeatable=False)


def log_out() -> Call:
    """End the login that the call is sent with."""
    return Call("POST", "/auth/logout", repeatable=False)


def who_asks() -> Call:
    """Who sends the call, what they may do, and how much of it is used."""
    return Call("GET", "/me")
