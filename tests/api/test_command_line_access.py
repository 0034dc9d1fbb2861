"""The command line on a platform with accounts."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from api.parts import Parts
from shared.accounts.permissions import Role
from shared.settings import Settings
from tests.support.accounts import PASSWORD, add_user
from tests.support.api_server import serving
from tests.support.command_line import CommandLine
from tests.support.waiting import eventually

pytestmark = pytest.mark.any_stack


@pytest.fixture
def site(api_settings: Settings, tmp_path: Path) -> Iterator[tuple[CommandLine, Parts]]:
    """The command line of a user whose logins are in a folder of their own, and the parts of the API."""
    with serving(api_settings) as (url, parts):
        add_user(parts.database, "anna", Role.ADMIN)
        # The process that serves hears of it a moment later.
        eventually(lambda: parts.access.known.recall_on() is True)
        yield CommandLine(tmp_path, url), parts


def test_a_login_counts_for_the_verbs_after_it_is_renewed_by_two_at_once_and_ends(
    site: tuple[CommandLine, Parts], tmp_path: Path
) -> None:
    mlmini, _ = site
    here = str(tmp_path)
    asked = mlmini.run("datasets", "list", XDG_CONFIG_HOME=here)
    assert (asked.status, "log in with `mlmini login`" in asked.err) == (1, True)
    assert mlmini.run("login", "--name", "anna", stdin=b"a wrong password", XDG_CONFIG_HOME=here).err.startswith(
        "mlmini: The name or the password is wrong"
    )
    mlmini.succeed("login", "--name", "anna", stdin=PASSWORD.encode() + b"\n", XDG_CONFIG_HOME=here)
    (tmp_path / "fish.csv").write_text("length,weight\n" + "".join(f"{n},{n * n}\n" for n in range(20)))
    mlmini.succeed("datasets", "upload", "fish.csv", XDG_CONFIG_HOME=here)
    # As if a quarter of an hour had gone by.
    file = tmp_path / "mlmini" / "logins.json"
    kept = json.loads(file.read_text())
    for login in kept.values():
        login["renew_at"] = login["since"]
    file.write_text(json.dumps(kept))
    with ThreadPoolExecutor(2) as threads:
        for ended in threads.map(lambda _: mlmini.run("datasets", "list", XDG_CONFIG_HOME=here), range(2)):
            assert (ended.status, "fish" in ended.out) == (0, True), ended
    mlmini.succeed("logout", XDG_CONFIG_HOME=here)
    assert mlmini.run("datasets", "list", XDG_CONFIG_HOME=here).status == 1
    # What anybody may look at needs no login.
    checks = mlmini.run("doctor", "--json", XDG_CONFIG_HOME=here).document["checks"]
    assert {check["part"]: check["state"] for check in checks}["API"] in {"ok", "note"}
