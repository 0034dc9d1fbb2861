"""Says where the source of the product does what no value of a stranger may come near."""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

from tests.support.architecture import Project

_EVALUATING = {"eval", "exec", "compile", "__import__", "execfile"}
_SHELLS = {
    "os.system",
    "os.popen",
    "subprocess.getoutput",
    "subprocess.getstatusoutput",
    "asyncio.create_subprocess_shell",
}
_TEMPLATES = {"jinja2", "mako", "chameleon", "tornado.template", "string.Template"}
_CLIENTS = {"requests", "httpx", "httpx2", "aiohttp", "urllib3", "urllib.request", "http.client", "websockets"}
_OTHER_CRYPTOGRAPHY = {"Crypto", "Cryptodome", "nacl", "cryptography", "rsa", "ecdsa", "crypt", "passlib", "bcrypt"}
# What asks others over HTTP: the verbs, whose addresses come from whoever runs them, and logins by an identity
# provider, whose address is a setting.
_CLIENT_PLACES = ("cli.client", "shared.accounts.oidc")
# Which of the digests of SHA-2 it is, an identity provider decides.
_DIGEST_PLACES = ("shared.accounts.oidc",)
# How long something waits before its next try; no secret depends on it.
_RANDOM_PLACES = ("shared.jobs.endings", "worker.janitor")


class _Found(NamedTuple):
    """A part of the source that may be dangerous, and where it is."""

    place: str
    name: str
    node: ast.Attribute | ast.Call


def evaluated_code(project: Project) -> Iterator[str]:
    """Text that is run as code."""
    yield from _told(call for call in _calls(project) if call.name in _EVALUATING)


def shell_commands(project: Project) -> Iterator[str]:
    """Command lines that a shell reads."""
    yield from _told(call for call in _calls(project) if call.name in _SHELLS or _has(call, "shell", but="False"))


def unescaped_patterns(project: Project) -> Iterator[str]:
    """Regular expressions with values that are not escaped; constants of a module, in capitals, are no values."""
    for call in _calls(project):
        if not call.name.startswith("re.") or not isinstance(call.node, ast.Call) or not call.node.args:
            continue
        for part in ast.walk(call.node.args[0]):
            if isinstance(part, ast.FormattedValue) and not _is_escaped(part.value):
                yield f"{call.place}: {ast.unparse(part.value)}"


def template_engines(project: Project) -> Iterator[str]:
    """Libraries that make pages of templates."""
    yield from _imported(project, _TEMPLATES, but=())


def http_clients(project: Project) -> Iterator[str]:
    """Libraries that ask others over HTTP."""
    yield from _imported(project, _CLIENTS, but=_CLIENT_PLACES)


def weak_digests(project: Project) -> Iterator[str]:
    """Hash functions other than SHA-256, and cryptography from elsewhere."""
    yield from _imported(project, _OTHER_CRYPTOGRAPHY, but=())
    elsewhere = [str(module.path) for module in project.modules.values() if _stands_in(module.name, _DIGEST_PLACES)]
    digests = (each for each in _attributes(project) if each.name.startswith("hashlib."))
    others = (each for each in digests if each.name not in {"hashlib.sha256", "hashlib.file_digest"})
    yield from _told(each for each in others if each.place.rpartition(":")[0] not in elsewhere)
    for call in _calls(project):
        if call.name in {"hmac.new", "hashlib.file_digest"} and "sha256" not in ast.unparse(call.node):
            yield f"{call.place}: {call.name}"


def guessable_numbers(project: Project) -> Iterator[str]:
    """The generator of Python whose numbers can be foretold."""
    yield from _imported(project, {"random"}, but=_RANDOM_PLACES)


# The probe of the launcher and the doctor sends nothing secret, and asks addresses of loopback so.
_ASKS_THIS_MACHINE = "cli/client/probe.py"


def unchecked_certificates(project: Project) -> Iterator[str]:
    """TLS with whomever it may be."""
    unchecked = ("CERT_NONE", "_create_unverified_context")
    yield from _told(
        each
        for each in _attributes(project)
        if each.name.endswith(unchecked) and not each.place.partition(":")[0].endswith(_ASKS_THIS_MACHINE)
    )
    yield from _told(
        call for call in _calls(project) if _is(call, "verify", "False") or _is(call, "check_hostname", "False")
    )


def debug_modes(project: Project) -> Iterator[str]:
    """Calls that switch a debug mode on."""
    yield from _told(call for call in _calls(project) if _is(call, "debug", "True"))


def followed_redirects(project: Project) -> Iterator[str]:
    """Clients that go wherever an answer sends them."""
    yield from _told(call for call in _calls(project) if _has(call, "follow_redirects", but="False"))


def _told(found: Iterator[_Found]) -> Iterator[str]:
    return (f"{each.place}: {each.name}" for each in found)


@cache
def _calls(project: Project) -> list[_Found]:
    return [each for each in _found(project) if isinstance(each.node, ast.Call)]


@cache
def _attributes(project: Project) -> list[_Found]:
    return [each for each in _found(project) if isinstance(each.node, ast.Attribute)]


@cache
def _found(project: Project) -> list[_Found]:
    return [
        _Found(f"{module.path}:{node.lineno}", _dotted(node.func if isinstance(node, ast.Call) else node), node)
        for module in project.modules.values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call | ast.Attribute)
    ]


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _imported(project: Project, names: set[str], *, but: tuple[str, ...]) -> Iterator[str]:
    for module in project.modules.values():
        if _stands_in(module.name, but):
            continue
        for imported in module.imports:
            if _stands_in(imported.name, names):
                yield f"{module.path}:{imported.line}: {imported.name}"


def _stands_in(name: str, places: Iterable[str]) -> bool:
    return any(name == place or name.startswith(f"{place}.") for place in places)


def _is(call: _Found, name: str, value: str) -> bool:
    return value in _values(call, name)


def _has(call: _Found, name: str, *, but: str) -> bool:
    return any(value != but for value in _values(call, name))


def _values(call: _Found, name: str) -> list[str]:
    keywords = call.node.keywords if isinstance(call.node, ast.Call) else []
    return [ast.unparse(keyword.value) for keyword in keywords if keyword.arg == name]


def _is_escaped(value: ast.expr) -> bool:
    text = ast.unparse(value)
    constant = isinstance(value, ast.Name) and value.id.isupper()
    return constant or text.startswith("re.escape(") or "map(re.escape, " in text
