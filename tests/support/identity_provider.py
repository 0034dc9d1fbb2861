"""An identity provider that misbehaves as it is told; a well-behaved one is taken from a package."""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

CLIENT = "mlmini-here"
SECRET = "a secret: / with + and more"
PERSON = "248289761001"

Sign = Callable[[dict[str, Any]], str]


@cache
def rsa_key(name: str = "first") -> RSAKey:
    """A key of that name, which takes long to make."""
    return RSAKey.generate_key(2048, {"kid": name}, private=True)


@cache
def curve_key() -> ECKey:
    """A key on a curve."""
    return ECKey.generate_key("P-256", {"kid": "curve"}, private=True)


def signed(claims: dict[str, Any], key: RSAKey | ECKey | None = None, algorithm: str = "RS256", **header: Any) -> str:
    """A token."""
    key = key or rsa_key()
    # What a header says that is None is left out.
    said = {"alg": algorithm, "kid": key.kid} | header
    told = {name: value for name, value in said.items() if value is not None}
    return jwt.encode(told, claims, key, algorithms=[algorithm])


def joined(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    """A token that no library makes."""
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def half_hash(access_token: str) -> str:
    """What `at_hash` is with RS256."""
    return base64.urlsafe_b64encode(hashlib.sha256(access_token.encode()).digest()[:16]).decode().rstrip("=")


@dataclass
class IdentityProvider:
    """Says yes to everybody. A test sets what is to be wrong."""

    url: str = ""
    # Instead of the claims of its tokens, and beside them; None leaves one out.
    claims: dict[str, Any] = field(default_factory=dict)
    # The same for moments, in seconds from when a token is made.
    moments: dict[str, int] = field(default_factory=dict)
    sign: Sign = signed
    keys: list[dict[str, Any]] = field(default_factory=lambda: [rsa_key().as_dict(private=False)])
    # The same for what it says of itself, and for what the address of its users says.
    metadata: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    tokens: dict[str, Any] = field(default_factory=dict)
    secret: str | None = None
    # What a path is answered with instead: a status, headers and a body.
    instead: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    # The paths that are answered only when the provider ends.
    silent: set[str] = field(default_factory=set)
    asked: Counter[str] = field(default_factory=Counter)
    ended: threading.Event = field(default_factory=threading.Event)
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def described(self) -> dict[str, Any]:
        """What it says of itself."""
        said = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/here/authorize",
            "token_endpoint": f"{self.url}/there/token",
            "jwks_uri": f"{self.url}/somewhere/keys",
            "userinfo_endpoint": f"{self.url}/elsewhere/me",
            "authorization_response_iss_parameter_supported": True,
        }
        return _without_none(said | self.metadata)

    def code(self, asked: dict[str, str]) -> str:
        """A code for what a browser brings."""
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        return code

    def exchanged(self, form: dict[str, str], login: str | None) -> tuple[int, dict[str, Any]]:
        """The answer to a code, which is good once, and for whoever has begun alone."""
        asked = self._codes.pop(form.get("code", ""), None)
        challenge = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        right = asked is not None and (
            form.get("grant_type") == "authorization_code"
            and base64.urlsafe_b64encode(challenge).decode().rstrip("=") == asked["code_challenge"]
            and (asked["code_challenge_method"], asked["response_type"]) == ("S256", "code")
            and form["redirect_uri"] == asked["redirect_uri"]
            and form["client_id"] == asked["client_id"] == CLIENT
            and (self.secret is None or self.secret in {_secret_of(login), form.get("client_secret")})
        )
        if asked is None or not right:
            return 400, {"error": "invalid_grant"}
        now, access_token = int(time.time()), secrets.token_urlsafe(16)
        said = {"iss": self.url, "sub": PERSON, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        said |= {"preferred_username": "anna", "groups": ["ml"], "at_hash": half_hash(access_token)}
        # Only whoever asks for it is told when the person was asked, and how they log in.
        said |= {"auth_time": now} if "max_age" in asked else {}
        said |= {"acr": asked["acr_values"].split()[0]} if "acr_values" in asked else {}
        answer = {"access_token": access_token, "token_type": "Bearer"}
        if self.tokens.get("id_token", "") is not None:
            moments = {name: now + seconds for name, seconds in self.moments.items()}
            answer["id_token"] = self.sign(_without_none(said | moments | self.claims))
        return 200, _without_none(answer | self.tokens)


class _Answers(BaseHTTPRequestHandler):
    provider: IdentityProvider

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        provider = self.provider
        if self._is_odd(path):
            return
        match path:
            case "/.well-known/openid-configuration":
                self._tell(200, provider.described())
            case "/somewhere/keys":
                self._tell(200, {"keys": provider.keys})
            case "/elsewhere/me":
                self._tell(200, {"sub": PERSON} | provider.userinfo)
            case "/here/authorize":
                asked = dict(parse_qsl(query))
                told = {"code": provider.code(asked), "state": asked["state"], "iss": provider.url}
                self._send(303, {"Location": f"{asked['redirect_uri']}?{urlencode(told)}"}, b"")
            case _:
                self._tell(404, {})

    def do_POST(self) -> None:
        form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        if not self._is_odd(self.path):
            self._tell(*self.provider.exchanged(form, self.headers.get("Authorization")))

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _is_odd(self, path: str) -> bool:
        self.provider.asked[path] += 1
        if path in self.provider.silent:
            self.provider.ended.wait(60)
            self.close_connection = True
            return True
        if path in self.provider.instead:
            self._send(*self.provider.instead[path])
            return True
        return False

    def _tell(self, status: int, document: dict[str, Any]) -> None:
        self._send(status, {"Content-Type": "application/json"}, json.dumps(document).encode())

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            self.close_connection = True


@contextmanager
def identity_provider(**given: Any) -> Iterator[IdentityProvider]:
    """One that answers on this machine until the end."""
    provider = IdentityProvider(**given)
    answers = type("Answers", (_Answers,), {"provider": provider})
    with ThreadingHTTPServer(("127.0.0.1", 0), answers) as server:
        provider.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=[0.05], name="identity-provider")
        thread.start()
        try:
            yield provider
        finally:
            provider.ended.set()
            server.shutdown()
            thread.join()


def query_of(address: str) -> dict[str, str]:
    """The parameters of an address."""
    return dict(parse_qsl(urlsplit(address).query))


def _secret_of(login: str | None) -> str | None:
    if login is None:
        return None
    name, _, secret = base64.b64decode(login.removeprefix("Basic ")).decode().partition(":")
    return unquote(secret) if unquote(name) == CLIENT else None


def _without_none(said: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value is not None}
