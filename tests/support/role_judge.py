"""What each caller may be answered, read from the table of least roles that is written by hand."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit
from zlib import crc32

import requests
from requests.cookies import RequestsCookieJar
from schemathesis import Response

from api.http.problems import known_codes
from shared.accounts.permissions import Role
from tests.support.made_up import Case, send, with_things
from tests.support.planted import WORD
from tests.support.role_site import EXPENDABLE, Caller, RoleSite
from tests.support.team_site import ABSENT, OPEN, SECRET

# What these are about decides, too: who owns it, where it is promoted to, whose key it is.
_ALSO_BY_WHAT = {
    "PATCH /datasets/{name}",
    "POST /datasets/upload",
    "POST /promote",
    "POST /jobs/{job_id}/cancel",
    "POST /jobs/{job_id}/retry",
    "POST /api-keys",
    "DELETE /api-keys/{key_id}",
}
# Bodies that say who somebody is.
_WITH_PASSWORDS = {"POST /auth/token", "POST /auth/refresh", "POST /me/password", "POST /login"}
# Errors of other protocols have the forms of those.
_OTHER_PROTOCOLS = ("/v2", "/serve/")
_ALWAYS_SECRET = [b"$argon2", b"Traceback (most recent", b"sqlalchemy", b"site-packages"]
# A name that is taken cannot be had, and that is told.
_TAKES_A_NAME = "POST /datasets/upload"


class Table:
    """The least role of each address; None for what is open to all."""

    def __init__(self, least: dict[str, Role], public: Iterable[str]) -> None:
        self._least: dict[str, Role | None] = {**least, **dict.fromkeys(public)}
        self._forms = [
            (address, re.compile("[^/]*".join(map(re.escape, re.split(r"{[^}]*}", address.partition(" ")[2])))))
            for address in sorted(self._least, key=lambda address: (address.count("{"), address))
        ]

    def address_of(self, method: str, url: str) -> str | None:
        """Where a request leads; None for what is no address."""
        path = unquote(urlsplit(url).path, errors="replace")
        method = "GET" if method == "HEAD" else method
        for address, form in self._forms:
            if address.startswith(f"{method} ") and form.fullmatch(path):
                return address
        return None

    def status_for(self, address: str | None, caller: Caller) -> int | None:
        """The only status that a caller is answered who may not; None where it may."""
        least = Role.VIEWER if address is None else self._least[address]
        if least is None:
            return None
        if caller.role is None:
            return 401
        return 403 if list(Role).index(caller.role) < list(Role).index(least) else None


class Turn(NamedTuple):
    """Who sends a request, and about which dataset; None leaves it as it was made up."""

    caller: Caller
    dataset: str | None


class Judge:
    """Sends requests for callers, and looks at the answers."""

    def __init__(self, site: RoleSite, table: Table) -> None:
        self._site = site
        self._table = table
        self._session = requests.Session()
        self._session.trust_env = False
        self.told: Counter[tuple[str, str, int]] = Counter()

    def turn(self, case: Case, number: int | None = None) -> Turn:
        """Whose turn it is; without a number, always the same for a request, so that it can be repeated."""
        if number is None:
            number = crc32(
                repr((case.method, case.path_parameters, case.query, case.body, dict(case.headers))).encode()
            )
        callers, datasets = self._site.callers, (SECRET, None, OPEN)
        return Turn(callers[number % len(callers)], datasets[number % len(datasets)])

    def judge(self, case: Case, turn: Turn) -> None:
        """Send a request, and see whether it is answered as it has to be.

        Raises:
            AssertionError: when it is not.
        """
        caller, dataset = turn
        # An operation without a body or a name in it is about nothing.
        asked = case if dataset is None else self._about(case, dataset)
        answer = self._send(asked, caller)
        address = self._table.address_of(asked.method, str(answer.request.url))
        self.told[case.operation.label, str(caller), answer.status_code] += 1
        said = f"{caller}, {address}: {answer.status_code} {_text(answer)[:1000]}\n{asked.as_curl_command()}"
        self._check_right(address, caller, answer, said)
        _check_form(answer, said)
        self._check_nothing_leaked(caller, answer, said)
        is_hidden = dataset == SECRET and asked is not case and caller.role is not None and not caller.sees_all
        if is_hidden and address != _TAKES_A_NAME:
            absent = self._send(self._about(case, ABSENT), caller)
            assert self._neutral(answer, SECRET) == self._neutral(absent, ABSENT), said
        if asked.method not in {"GET", "HEAD"} and answer.status_code < 300:
            self._site.mend()

    def summary(self) -> str:
        """How many requests each caller has sent, and how they were answered."""
        callers = Counter({str(caller): 0 for caller in self._site.callers})
        classes: Counter[str] = Counter()
        for (_, caller, status), count in self.told.items():
            callers[caller] += count
            classes[f"{status // 100}xx"] += count
        lines = [f"{caller}: {count}" for caller, count in callers.items()]
        operations = sorted(Counter(operation for operation, *_ in self.told.elements()).values())
        half = operations[len(operations) // 2] if operations else 0
        # Some take nothing, so that there are few requests of them.
        total = f"{classes.total()} requests of {len(operations)} operations, {half} or more of half of them"
        return "\n".join([total, *lines, ", ".join(f"{name}: {count}" for name, count in sorted(classes.items()))])

    def _about(self, case: Case, dataset: str) -> Case:
        things = self._site.things(dataset)
        if case.path.startswith("/users"):
            things["name"] = EXPENDABLE
        elif case.path.startswith("/api-keys"):
            # Any name is as good for a key.
            del things["name"]
        return with_things(case, things) or case

    def _send(self, case: Case, caller: Caller) -> Response:
        credential = self._site.credential(caller, case.operation.label)
        if credential:
            # One of several credentials is none.
            for name in ("Authorization", "X-API-Key", "Cookie"):
                case.headers.pop(name, None)
        self._session.cookies = RequestsCookieJar()
        return send(case, self._site.url, headers=credential, session=self._session, allow_redirects=False)

    def _check_right(self, address: str | None, caller: Caller, answer: Response, said: str) -> None:
        refused = self._table.status_for(address, caller)
        if refused is not None:
            taken_to_the_login = answer.status_code == 303 and answer.headers["location"][0].startswith("/login")
            assert answer.status_code == refused or (refused == 401 and taken_to_the_login), said
            return
        if address not in _WITH_PASSWORDS:
            assert answer.status_code != 401, said
        if address not in _ALSO_BY_WHAT:
            assert answer.status_code != 403, said
        assert not (caller.role is Role.ADMIN and answer.status_code == 403), said

    def _check_nothing_leaked(self, caller: Caller, answer: Response, said: str) -> None:
        told = b"\n".join(
            [answer.content or b"", *(value.encode() for values in answer.headers.values() for value in values)]
        )
        request = answer.request
        sent = b"\n".join([str(request.url).encode(), _bytes(request.body), str(dict(request.headers)).encode()])
        hidden = [*_ALWAYS_SECRET, *(secret.encode() for secret in self._site.secrets)]
        hidden += [] if caller.sees_all else [WORD.encode()]
        assert not [word for word in hidden if word in told and word not in sent], said

    def _neutral(self, answer: Response, dataset: str) -> tuple[int, str, list[tuple[str, list[str]]]]:
        """An answer without what differs in any two: the id of the request, the moment, and what was asked for."""
        things = self._site.things(dataset)
        text = _text(answer).replace(answer.headers["x-request-id"][0], "ID").replace(things["job_id"], "JOB")
        text = text.replace(str(things["version"]), "VERSION").replace(dataset, "DATASET")
        left_out = {"x-request-id", "date", "content-length"}
        return answer.status_code, text, sorted(each for each in answer.headers.items() if each[0] not in left_out)


def _text(answer: Response) -> str:
    return (answer.content or b"").decode(errors="replace")


def _bytes(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else body or b""


def _check_form(answer: Response, said: str) -> None:
    """A refusal is a problem, whose code has a hint and whose detail is more than a word."""
    if answer.status_code < 400 or not answer.content:
        return
    kind = answer.headers["content-type"][0]
    path = urlsplit(str(answer.request.url)).path
    if path.startswith(_OTHER_PROTOCOLS) or kind.startswith("text/html"):
        return
    assert kind == "application/problem+json", said
    problem = answer.json()
    assert known_codes()[problem["code"]].hint, said
    assert len(problem["detail"]) > 20, said
    assert problem["status"] == answer.status_code, said
