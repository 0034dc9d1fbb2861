"""The address of a Dask cluster: what is taken, what is refused, and what a worker looks at before it starts."""

import importlib.util
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from shared.errors import DaskUnreachable, WrongSettings
from shared.settings import load_settings
from shared.training.cluster import address
from shared.training.cluster.address import ClusterAddress, check_cluster
from worker import __main__ as worker

TLS = "tls://dask.example.org:8786"
NAMES = {"ca": "DASK_CA_FILE", "cert": "DASK_CERT_FILE", "key": "DASK_KEY_FILE"}


def setting(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"MLMINI_{name}", value)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Three files of certificates, which the settings name."""
    found = {}
    for name, variable in NAMES.items():
        found[name] = tmp_path / f"{name}.pem"
        found[name].write_text("a certificate or a key")
        found[name].chmod(0o600)
        monkeypatch.setenv(f"MLMINI_{variable}", str(found[name]))
    return found


@pytest.mark.parametrize(
    "text", ["tcp://127.0.0.1:8786", "tcp://localhost:1", "tcp://[::1]:65535", "tls://dask-scheduler:8786"]
)
def test_a_scheduler_is_on_this_machine_or_speaks_tls(
    text: str, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    setting(monkeypatch, DASK_SCHEDULER=text)
    settings = load_settings()
    check_cluster(settings)
    found = ClusterAddress.named_in(settings)
    assert found is not None
    assert (found.scheduler, found.key_file) == (text, files["key"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("tcp://10.0.0.5:8786", "whoever reaches a Dask scheduler runs code on its workers"),
        ("tcp://0.0.0.0:8786", "whoever reaches"),
        ("tcp://dask.example.org:8786", "whoever reaches"),
        ("tcp://127.0.0.1.example.org:8786", "whoever reaches"),
        ("127.0.0.1:8786", "It must be tcp://"),
        ("tcp://127.0.0.1", "It must be tcp://"),
        ("tcp://127.0.0.1:0", "It must be tcp://"),
        ("tcp://127.0.0.1:65536", "It must be tcp://"),
        ("tcp://127.0.0.1:8786/x", "It must be tcp://"),
        ("tcp://me@127.0.0.1:8786", "It must be tcp://"),
        ("ws://127.0.0.1:8786", "It must be tcp://"),
        ("inproc://127.0.0.1:8786", "It must be tcp://"),
        ("tls://a b:8786", "It must be tcp://"),
    ],
)
def test_other_addresses_are_refused(text: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    setting(monkeypatch, DASK_SCHEDULER=text)
    with pytest.raises(WrongSettings, match=f"MLMINI_DASK_SCHEDULER: .*{told}"):
        load_settings()


def test_tls_needs_all_three_files(files: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    setting(monkeypatch, DASK_SCHEDULER=TLS, DASK_CA_FILE="", DASK_KEY_FILE="")
    with pytest.raises(WrongSettings, match="needs MLMINI_DASK_CA_FILE, MLMINI_DASK_KEY_FILE, too"):
        load_settings()


def test_without_a_scheduler_nothing_is_looked_at(files: dict[str, Path]) -> None:
    files["key"].unlink()
    settings = load_settings()
    check_cluster(settings)
    assert ClusterAddress.named_in(settings) is None


@pytest.mark.parametrize("name", NAMES)
def test_a_worker_does_not_start_without_a_file_that_is_named(
    name: str, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    setting(monkeypatch, DASK_SCHEDULER=TLS)
    files[name].unlink()
    told = refused_start(monkeypatch)
    assert told.startswith(f"The worker cannot start: MLMINI_{NAMES[name]}: the file cannot be read: No such file")


def test_a_worker_does_not_start_with_a_key_that_others_can_read(
    files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    setting(monkeypatch, DASK_SCHEDULER=TLS)
    files["cert"].chmod(0o644)
    check_cluster(load_settings())
    files["key"].chmod(0o644)
    told = refused_start(monkeypatch)
    assert "MLMINI_DASK_KEY_FILE: " in told
    assert "can be read by other users (mode 644). Run `chmod 600" in told


def test_a_worker_does_not_start_where_dask_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def without(name: str) -> Any:
        return None if name == "distributed" else importlib.util.find_spec(name)

    monkeypatch.setattr(address, "find_spec", without)
    setting(monkeypatch, DASK_SCHEDULER="tcp://127.0.0.1:8786")
    assert "Dask is not installed here. `make dask` installs it" in refused_start(monkeypatch)


def refused_start(monkeypatch: pytest.MonkeyPatch) -> str:
    """The last words of a worker that does not start."""
    monkeypatch.setattr(os, "umask", lambda mask: mask)
    with pytest.raises(SystemExit) as ended:
        worker.main()
    return str(ended.value.code)


def test_the_name_of_a_host_becomes_the_number_at_which_it_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert ClusterAddress(scheduler=f"tls://localhost:{port}").resolved().scheduler == f"tls://127.0.0.1:{port}"
    assert ClusterAddress(scheduler="tcp://[::1]:8786").resolved().scheduler == "tcp://[::1]:8786"
    with pytest.raises(DaskUnreachable, match=r"dask\.invalid:8786 is not known"):
        ClusterAddress(scheduler="tls://dask.invalid:8786").resolved()
