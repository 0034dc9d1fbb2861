"""What the source of the product never does, whatever comes in."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import dangerous_code
from tests.support.architecture import Project

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted((ROOT / "api" / "docs" / "static").glob("*.js"))

Finder = Callable[[Project], Iterator[str]]


@pytest.fixture(scope="module")
def project() -> Project:
    """The product."""
    return Project(ROOT)


@pytest.mark.asvs("1.3.2")
def test_no_text_is_run_as_code(project: Project) -> None:
    assert list(dangerous_code.evaluated_code(project)) == []


@pytest.mark.asvs("1.2.5")
def test_no_command_is_read_by_a_shell(project: Project) -> None:
    assert list(dangerous_code.shell_commands(project)) == []


@pytest.mark.asvs("1.2.9")
def test_values_in_regular_expressions_are_escaped(project: Project) -> None:
    assert list(dangerous_code.unescaped_patterns(project)) == []


@pytest.mark.asvs("1.3.7")
def test_nothing_is_made_of_templates(project: Project) -> None:
    assert list(dangerous_code.template_engines(project)) == []


@pytest.mark.asvs("1.3.6", "13.2.4", "13.2.5", "15.3.2")
def test_nothing_but_the_command_line_and_logins_elsewhere_asks_others_over_http(project: Project) -> None:
    assert list(dangerous_code.http_clients(project)) == []


@pytest.mark.asvs("15.3.2")
def test_no_client_follows_redirects(project: Project) -> None:
    assert list(dangerous_code.followed_redirects(project)) == []


@pytest.mark.asvs("11.2.1", "11.4.1", "11.4.3")
def test_digests_are_sha_256_of_the_standard_library(project: Project) -> None:
    assert list(dangerous_code.weak_digests(project)) == []


@pytest.mark.asvs("11.5.1")
def test_no_secret_comes_from_numbers_that_can_be_foretold(project: Project) -> None:
    assert list(dangerous_code.guessable_numbers(project)) == []


def test_certificates_are_checked(project: Project) -> None:
    assert list(dangerous_code.unchecked_certificates(project)) == []


@pytest.mark.asvs("13.4.2")
def test_nothing_runs_in_debug_mode(project: Project) -> None:
    assert list(dangerous_code.debug_modes(project)) == []


@pytest.mark.asvs("3.2.2", "14.3.3")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_put_no_markup_into_the_page_and_store_nothing_in_the_browser(script: Path) -> None:
    text = script.read_text()
    words = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "postMessage")
    stores = ("localStorage", "sessionStorage", "indexedDB", "document.cookie =", "persistAuthorization")
    assert [word for word in (*words, *stores) if word in text] == []


@pytest.mark.asvs("15.3.6")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_strict_and_set_no_members_by_names_from_elsewhere(script: Path) -> None:
    text = script.read_text()
    assert text.startswith('"use strict";')
    assert [word for word in ("__proto__", "Object.assign", ".prototype") if word in text] == []
    assert re.findall(r"\w\[[A-Za-z_][\w.]*\] = ", text) == []


PLANTED: dict[str, tuple[Finder, str]] = {
    "eval": (dangerous_code.evaluated_code, "answer = eval(text)"),
    "exec": (dangerous_code.evaluated_code, "exec(text)"),
    "a shell": (dangerous_code.shell_commands, "subprocess.run(text, shell=True)"),
    "os.system": (dangerous_code.shell_commands, "os.system(text)"),
    "a pattern": (dangerous_code.unescaped_patterns, 'found = re.search(f"a{text}", other)'),
    "a template": (dangerous_code.template_engines, "from jinja2 import Template"),
    "a client": (dangerous_code.http_clients, "import urllib.request"),
    "a redirect": (dangerous_code.followed_redirects, "client.get(text, follow_redirects=True)"),
    "MD5": (dangerous_code.weak_digests, "digest = hashlib.md5(text)"),
    "an HMAC of SHA-1": (dangerous_code.weak_digests, "mac = hmac.new(key, text, 'sha1')"),
    "a cipher": (dangerous_code.weak_digests, "from Crypto.Cipher import AES"),
    "random": (dangerous_code.guessable_numbers, "import random"),
    "no certificate": (dangerous_code.unchecked_certificates, "client = Client(verify=False)"),
    "no authority": (dangerous_code.unchecked_certificates, "context.verify_mode = ssl.CERT_NONE"),
    "debug": (dangerous_code.debug_modes, "app = FastAPI(debug=True)"),
}


@pytest.mark.parametrize(("finder", "line"), PLANTED.values(), ids=PLANTED)
def test_what_is_planted_is_found(tmp_path: Path, finder: Finder, line: str) -> None:
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "planted.py").write_text(f"{line}\n")
    assert len(list(finder(Project(tmp_path)))) == 1


def test_what_is_escaped_constant_or_in_its_place_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "cli" / "client").mkdir(parents=True)
    (tmp_path / "cli" / "client" / "asking.py").write_text(
        "import httpx2\nclient = httpx2.Client(follow_redirects=False, verify=True)\n"
        'found = re.search(f"{re.escape(text)}{WORDS}", other)\ndigest = hashlib.sha256(text)\n'
        "mac = hmac.new(key, text, hashlib.sha256)\n"
    )
    project = Project(tmp_path)
    assert [found for finder, _ in PLANTED.values() for found in finder(project)] == []
