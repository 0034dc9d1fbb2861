"""gRPC where something is in the way: slow models, clients that leave or say nothing, a port that is taken."""

import json
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, nullcontext
from pathlib import Path

import grpc
import httpx2
import pytest
from fastapi.testclient import TestClient

from api import app
from api.app import create_app
from api.rpc.server import GRACE_SECONDS
from shared.database import Database
from shared.errors import WrongSettings
from shared.object_store import open_store
from shared.sandbox import client
from shared.settings import Settings
from tests.support import gated_api
from tests.support.api_server import ApiServer
from tests.support.blocking_model import Gate
from tests.support.models import Platform, open_platform
from tests.support.processes import ROOT
from tests.support.rpc import SERVICE, RpcSite, refusal, request, rpc_site, typed
from tests.support.server import free_ports, running
from tests.support.waiting import eventually

pytestmark = pytest.mark.any_stack

IRIS = request(model_name="iris@dev", inputs=[typed("r", [1, 4], "FP64", fp64_contents=[5.1, 3.5, 1.4, 0.2])])
SLOW = request(model_name="slow@dev", inputs=[typed("x", [1], "FP64", fp64_contents=[1])]).SerializeToString()
INFER = f"{SERVICE}ModelInfer"
SOON = 20
# What a client of HTTP/2 begins with: its first words, and no settings of its own.
BEGINNING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"


@pytest.fixture(autouse=True)
def gates_in_reach(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Models that predict in processes of their own may reach nothing but their folder otherwise."""
    monkeypatch.setattr(client, "WRITES", (str(tmp_path),))


@pytest.fixture
def site(api_settings: Settings, tmp_path: Path) -> Iterator[tuple[RpcSite, Gate]]:
    """An impatient API with a model of iris and one behind a gate."""
    with rpc_site(api_settings.model_copy(update={"body_seconds": 1.0, "max_connections": 20})) as site:
        parts = site.parts
        platform = Platform(parts.database, parts.store, parts.settings, parts.key, tmp_path)
        gate = Gate(tmp_path, "slow")
        platform.train(platform.dataset())
        platform.train(platform.dataset("slow"), gate.fitted(), name="slow")
        try:
            yield site, gate
        finally:
            gate.open()


def predicts_iris(site: RpcSite) -> bool:
    return site.ended("ModelInfer", IRIS.SerializeToString()).code == "OK"


def counted(site: RpcSite, status: int) -> bool:
    line = f'route="/inference.GRPCInferenceService/ModelInfer",status="{status}"'
    return line in httpx2.get(f"{site.url}/metrics").text


def test_calls_that_are_cancelled_or_out_of_time_hold_up_nobody(site: tuple[RpcSite, Gate]) -> None:
    rpc, gate = site
    waiting = [rpc.channel.unary_unary(INFER).future(SLOW) for _ in range(8)]
    eventually(lambda: gate.begun() > 0)
    assert predicts_iris(rpc)
    for each in waiting[1:]:
        each.cancel()
    with pytest.raises(grpc.RpcError) as late:
        rpc.channel.unary_unary(INFER)(SLOW, timeout=0.3)
    assert refusal(late.value).code == "DEADLINE_EXCEEDED"
    eventually(lambda: counted(rpc, 499))
    # What was given up keeps its places, for which others wait; they are not told that the model takes too long.
    patient = rpc.channel.unary_unary(INFER).future(SLOW)
    assert predicts_iris(rpc)
    assert not patient.done()
    gate.open()
    assert waiting[0].result(SOON)
    assert patient.result(SOON)
    assert rpc.ended("ModelInfer", SLOW).code == "OK"


def test_a_call_whose_message_does_not_come_is_ended(site: tuple[RpcSite, Gate]) -> None:
    rpc, _ = site
    silent = threading.Event()

    def nothing() -> Iterator[bytes]:
        silent.wait(SOON)
        yield from ()

    with pytest.raises(grpc.RpcError) as ended:
        rpc.channel.stream_unary(INFER)(nothing())
    silent.set()
    assert refusal(ended.value)[:2] == (
        "DEADLINE_EXCEEDED",
        "The message of the call did not arrive within 1 seconds. Send it again.",
    )
    eventually(lambda: counted(rpc, 408))


def test_there_are_no_more_connections_than_the_setting_says(site: tuple[RpcSite, Gate]) -> None:
    rpc, _ = site
    channels = [
        grpc.insecure_channel(f"127.0.0.1:{rpc.port}", options=[("grpc.use_local_subchannel_pool", 1)])
        for _ in range(25)
    ]
    codes = []
    for channel in channels:
        try:
            channel.unary_unary(f"{SERVICE}ServerLive")(b"", timeout=SOON)
            codes.append("OK")
        except grpc.RpcError as error:
            codes.append(refusal(error).code)
    for channel in channels:
        channel.close()
    assert set(codes) == {"OK", "UNAVAILABLE"}
    assert codes.count("OK") <= 20
    eventually(lambda: rpc.ended("ServerLive", b"").code == "OK")


def test_connections_that_make_no_call_make_room_for_others(api_settings: Settings) -> None:
    few = api_settings.model_copy(update={"max_connections": 2, "header_seconds": 1.0})
    with rpc_site(few) as rpc, ExitStack() as held:
        idle = [held.enter_context(socket.create_connection(("127.0.0.1", rpc.port), SOON)) for _ in range(2)]
        for each in idle:
            each.sendall(BEGINNING)
            assert each.recv(1), "it was let in"
        assert rpc.ended("ServerLive", b"").code == "UNAVAILABLE"
        for each in idle:
            assert _is_ended(each)
        eventually(lambda: rpc.ended("ServerLive", b"").code == "OK")


def _is_ended(connection: socket.socket) -> bool:
    """Whether the other side ends a connection soon."""
    while connection.recv(1024):
        pass
    return True


def test_readyz_tells_of_grpc_where_there_is_one(site: tuple[RpcSite, Gate]) -> None:
    rpc, _ = site
    assert httpx2.get(f"{rpc.url}/readyz").json()["dependencies"]["grpc"] == {"state": "ok", "hint": None}


def test_readyz_tells_that_grpc_does_not_answer(api_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    (port,) = free_ports(1)
    monkeypatch.setattr(app, "grpc_serving", lambda *_: nullcontext())
    with TestClient(create_app(api_settings.model_copy(update={"grpc_port": port}))) as client:
        found = client.get("/readyz").json()
    assert found["dependencies"]["grpc"]["state"] == "degraded"
    assert "Requests over HTTP are answered without it." in found["dependencies"]["grpc"]["hint"]


def test_a_port_that_is_taken_stops_the_start_with_the_setting(api_settings: Settings) -> None:
    (port,) = free_ports(1)
    settings = api_settings.model_copy(update={"grpc_port": port})
    # It would share the port with another that does, too.
    other = grpc.server(ThreadPoolExecutor(1))
    other.add_insecure_port(f"127.0.0.1:{port}")
    with pytest.raises(WrongSettings, match=rf"MLMINI_GRPC_PORT: port {port} on 127.0.0.1"):
        _open(settings)
    other.stop(None)


def test_a_missing_extra_stops_the_start_with_what_to_install(
    api_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("api.rpc.") and name != "api.rpc.opening"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "grpc", None)
    with pytest.raises(WrongSettings, match=r"pip install 'ml-mini-platform\[grpc\]'"):
        _open(api_settings.model_copy(update={"grpc_port": 1}))


def _open(settings: Settings) -> None:
    with TestClient(create_app(settings)):
        pass


def test_a_process_that_is_stopped_answers_what_it_has_begun_and_has_logged_each_call(
    api_settings: Settings, server_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The process loads a model of the tests.
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    (port,) = free_ports(1)
    server = ApiServer(
        api_settings.model_copy(update={"grpc_port": port}),
        module=gated_api.MODULE,
        GATES=str(tmp_path),
    )
    store = open_store(api_settings)
    store.prepare()
    platform = open_platform(server_database, store, api_settings, tmp_path)
    gate = Gate(tmp_path, "slow")
    platform.train(platform.dataset("slow"), gate.fitted(), name="slow")
    with running(server), grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        waiting = channel.unary_unary(INFER).future(SLOW, metadata=[("x-request-id", "of-mine")])
        eventually(lambda: gate.begun() > 0)
        process = server.process
        assert process is not None
        process.send_signal(signal.SIGTERM)
        # New calls are refused while it stops.
        eventually(lambda: _is_refused(channel))
        gate.open()
        assert waiting.result(SOON)
        process.wait(timeout=GRACE_SECONDS + SOON)
        log = (server.folder / "log").read_text()
        lines = [json.loads(line) for line in log.splitlines() if '"request"' in line and "of-mine" in line]
        assert [(line["path"], line["status"], line["client"]) for line in lines] == [(INFER, 200, "127.0.0.1")]
        assert "Traceback" not in log
    store.close()


def _is_refused(channel: grpc.Channel) -> bool:
    try:
        channel.unary_unary(f"{SERVICE}ServerLive")(b"", timeout=SOON)
    except grpc.RpcError as error:
        return refusal(error).code == "UNAVAILABLE"
    return False
