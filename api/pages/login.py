"""The page where people log in, and out."""

from urllib.parse import quote

from fastapi.responses import HTMLResponse

from api.pages.frame import page_with_form
from api.pages.markup import Html, element, link
from shared.accounts.oidc.provider import Provider


def page_of_login(back_to: str, problem: str | None = None, *, name: str = "", status: int = 200) -> HTMLResponse:
    """A form for name and password; `problem` is what was wrong with the last try."""
    said = None if problem is None else element("p", problem, role="alert")
    return page_with_form(
        "Log in",
        said,
        element(
            "form",
            element("p", element("label", "Name", for_="name")),
            element("input", id="name", name="name", value=name, autocomplete="username", required="", autofocus=""),
            element("p", element("label", "Password", for_="password")),
            element(
                "input", id="password", name="password", type="password", autocomplete="current-password", required=""
            ),
            element("input", name="next", type="hidden", value=back_to),
            element("p", element("button", "Log in", type="submit")),
            method="post",
            action="/login",
        ),
        status=status,
    )


def page_of_provider(provider: Provider, back_to: str, *, fresh: bool = False) -> HTMLResponse:
    """The way to the identity provider, which asks who it is, anew if it has to be `fresh`."""
    return page_with_form("Log in", element("p", _way_to(provider, back_to, fresh=fresh)))


def _way_to(provider: Provider, back_to: str, *, fresh: bool) -> Html:
    # The cookie has to be there where the provider leads back to, whatever name this page was asked for by.
    address = f"{provider.public_url}/login/oidc?next={quote(back_to, safe='/')}{'&fresh=true' if fresh else ''}"
    return link(f"Log in {'again ' if fresh else ''}with {provider.host}", address)


def page_of_arrival(back_to: str) -> HTMLResponse:
    """Goes on to where the person wanted to be.

    A redirect would be part of the way from the identity provider, and browsers send no strict cookie on the way from
    another site. What this page leads to is asked for by a page of our own.
    """
    answer = page_with_form("Logged in", element("p", link("Go on", back_to)))
    answer.headers["Refresh"] = f"0; url={back_to}"
    return answer


def page_of_account(
    name: str, role: str, token: str, *, provider: Provider | None = None, back_to: str = "/docs"
) -> HTMLResponse:
    """Who is logged in, with a way out, and one to a provider that asks anew and leads back to where they were."""
    why = ", to change users, API keys and logins: that takes a login of the last 15 minutes."
    again = None if provider is None else element("p", _way_to(provider, back_to, fresh=True), why)
    return page_with_form(
        "Logged in",
        element("p", f"You are logged in as {name}, with the role {role}."),
        again,
        element(
            "form",
            element("input", name="token", type="hidden", value=token),
            element("p", element("button", "Log out", type="submit")),
            method="post",
            action="/logout",
        ),
    )


def page_without_accounts() -> HTMLResponse:
    """There is nobody to log in as."""
    return page_with_form(
        "No login",
        element("p", "There are no accounts, so that nobody has to log in. "),
        element("p", Html("<code>mlmini admin create</code> makes the first one, after which everybody has to.")),
    )
