"""The PostgreSQL of the tests starts on a machine that has never run one."""

import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support import servers


def test_of_several_processes_that_start_one_each_only_one_makes_its_user(monkeypatch: pytest.MonkeyPatch) -> None:
    users: list[str] = []

    def install(data: Path, *, start: bool) -> SimpleNamespace:
        """As the package does it: it looks, and then it makes what it has not found."""
        assert not start
        if not users:
            time.sleep(0.05)
            assert not users, "useradd: user already exists"
            users.append("pgserver")
        rules = data / "pg_hba.conf"
        rules.parent.mkdir(parents=True)
        return SimpleNamespace(ensure_pgdata_inited=rules.touch, bin_path=str(data), system_user=None)

    monkeypatch.setattr(servers, "get_server", install)
    failed: list[BaseException] = []

    def start_one() -> None:
        try:
            servers.PostgreSQL()
        except AssertionError as error:
            failed.append(error)

    threads = [threading.Thread(target=start_one) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert not failed
