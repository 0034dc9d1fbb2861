"""The API and gRPC with a certificate of their own, and what is said of files that cannot be used."""

import asyncio
import json
import shutil
import socket
import ssl
from http.client import HTTPSConnection
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import grpc
import pytest
from pydantic import SecretStr

from api.http.tls import tls_context
from api.http.transport import unacknowledged
from cli.client.probe import ask
from shared.accounts.permissions import Role
from shared.errors import WrongSettings
from shared.settings import Settings
from tests.support.accounts import PASSWORD, add_user
from tests.support.api_server import serving
from tests.support.certificates import Pair, made, openssl
from tests.support.command_line import CommandLine, environment
from tests.support.processes import finish
from tests.support.server import free_ports
from tests.support.servers import Valkey

pytestmark = [
    pytest.mark.any_stack,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="nothing here makes certificates"),
]
CONFIGURATION = """
[ca]
default_ca = own
[own]
database = {folder}/index.txt
serial = {folder}/serial
new_certs_dir = {folder}
default_md = sha256
policy = any
[any]
commonName = optional
"""


def expired(folder: Path) -> Pair:
    """One that was valid once."""
    pair = Pair(folder / "expired.pem", folder / "expired.key")
    (folder / "index.txt").touch()
    (folder / "ca.cnf").write_text(CONFIGURATION.format(folder=folder))
    request = str(folder / "request.csr")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-keyout", str(pair.key))
    openssl("req", "-new", *key, "-out", request, "-subj", "/CN=expired")
    dates = ("-startdate", "20200101000000Z", "-enddate", "20210101000000Z", "-rand_serial", "-notext", "-batch")
    own = ("-config", str(folder / "ca.cnf"), "-selfsign", "-keyfile", str(pair.key))
    openssl("ca", *own, "-in", request, "-out", str(pair.certificate), *dates)
    return pair


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def pair(folder: Path) -> Pair:
    return made(folder, "own")


@pytest.fixture
def tls_settings(tmp_path: Path, valkey: Valkey, pair: Pair, sqlite_template: Path) -> Settings:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    shutil.copyfile(sqlite_template, home / "ml_registry.db")
    (grpc_port,) = free_ports(1)
    return Settings(
        home=home,
        redis_url=SecretStr(valkey.url),
        examples=False,
        grpc_port=grpc_port,
        allowed_hosts=("ml.example.org",),
        tls_cert_file=pair.certificate,
        tls_key_file=pair.key,
    )


@pytest.mark.asvs("3.4.1", "12.1.1")
def test_answers_come_by_tls_and_cookies_are_for_it_alone(
    tmp_path: Path, tls_settings: Settings, pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    trusting = ssl.create_default_context(cafile=str(pair.certificate))
    with serving(tls_settings) as (url, parts):
        port = int(url.rpartition(":")[2])
        add_user(parts.database, "anna", Role.ADMIN)
        connection = HTTPSConnection("localhost", port, timeout=60, context=trusting)
        connection.request("GET", "/version")
        assert connection.sock.version() == "TLSv1.3"
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())["platform"] != "") == (200, True)
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
        form = f"name=anna&password={PASSWORD}".replace(" ", "+")
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"https://localhost:{port}"}
        connection.request("POST", "/login", form, headers)
        answer = connection.getresponse()
        answer.read()
        cookies = answer.headers.get_all("Set-Cookie") or []
        assert (answer.status, len(cookies)) == (303, 2)
        assert all("Secure" in cookie for cookie in cookies)
        # What is no request is refused, and the connection ends in order.
        connection.sock.sendall(b"nonsense\r\n\r\n")
        assert connection.sock.recv(100).startswith(b"HTTP/1.1 400")
        connection.close()
        trusting.minimum_version = trusting.maximum_version = ssl.TLSVersion.TLSv1_2
        raw = socket.create_connection(("localhost", port), timeout=60)
        with raw, trusting.wrap_socket(raw, server_hostname="localhost") as wrapped:
            assert wrapped.version() == "TLSv1.2"
        _expect_no_older_tls(port)
        plain = ask(f"http://127.0.0.1:{port}", "/version")
        assert plain is None
        assert getattr(ask(f"https://127.0.0.1:{port}", "/healthz"), "status", None) == 200
        mlmini = CommandLine(tmp_path, f"https://127.0.0.1:{port}")
        refused = mlmini.run("login", "--name", "anna", stdin=PASSWORD.encode())
        assert (refused.status, "SSL_CERT_FILE" in refused.err) == (3, True)
        here = {"SSL_CERT_FILE": str(pair.certificate), "XDG_CONFIG_HOME": str(tmp_path)}
        mlmini.succeed("login", "--name", "anna", stdin=PASSWORD.encode(), **here)
        _ask_grpc(tls_settings, pair)
    # The event loop would tell of what its transport cannot do.
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


def _expect_no_older_tls(port: int) -> None:
    """The server itself says no: the client would take it."""
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    raw = socket.create_connection(("localhost", port), timeout=60)
    with raw, pytest.raises(ssl.SSLError, match=r"EOF occurred|alert protocol version"), old.wrap_socket(raw):
        pass


def _ask_grpc(settings: Settings, pair: Pair) -> None:
    credentials = grpc.ssl_channel_credentials(pair.certificate.read_bytes())
    with grpc.secure_channel(f"localhost:{settings.grpc_port}", credentials) as channel:
        live = channel.unary_unary("/inference.GRPCInferenceService/ServerLive")
        assert live(b"", timeout=60) == b"\x08\x01"
    with grpc.insecure_channel(f"localhost:{settings.grpc_port}") as channel:
        live = channel.unary_unary("/inference.GRPCInferenceService/ServerLive")
        with pytest.raises(grpc.RpcError) as refused:
            live(b"", timeout=20)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


def test_a_connection_that_ends_has_nothing_for_its_client_any_more() -> None:
    ending = SimpleNamespace(get_extra_info=lambda _name: None)
    assert unacknowledged(cast("asyncio.Transport", ending)) == 0


def test_files_that_cannot_be_used_are_told_in_a_sentence(tmp_path: Path, folder: Path, pair: Pair) -> None:
    other, junk, open_key = made(folder, "other"), tmp_path / "junk", tmp_path / "open.key"
    junk.write_text("junk")
    shutil.copyfile(pair.key, open_key)
    junk.chmod(0o600)
    open_key.chmod(0o644)
    old = expired(folder)
    sealed = tmp_path / "sealed.key"
    openssl("pkey", "-in", str(pair.key), "-aes256", "-passout", "pass:word", "-out", str(sealed))
    sealed.chmod(0o600)
    for settings, said in {
        (pair.certificate, None): "go together",
        (None, pair.key): "go together",
        (tmp_path / "none", pair.key): "MLMINI_TLS_CERT_FILE: the file cannot be read: No such file",
        (pair.certificate, tmp_path / "none"): "MLMINI_TLS_KEY_FILE: the file cannot be read: No such file",
        (pair.certificate, open_key): "MLMINI_TLS_KEY_FILE: .*can be read by other users",
        (junk, pair.key): "MLMINI_TLS_CERT_FILE holds no certificate",
        (pair.certificate, junk): "MLMINI_TLS_KEY_FILE holds no key",
        (pair.certificate, sealed): "without a password",
        (pair.certificate, other.key): "MLMINI_TLS_KEY_FILE is not the key of the certificate",
        (old.certificate, old.key): "has expired",
    }.items():
        with pytest.raises(WrongSettings, match=said):
            tls_context(Settings(home=tmp_path, tls_cert_file=settings[0], tls_key_file=settings[1]))
    assert tls_context(Settings(home=tmp_path)) is None


def test_the_api_does_not_start_with_a_certificate_that_cannot_be_used(tmp_path: Path, pair: Pair) -> None:
    variables = {"MLMINI_HOME": str(tmp_path / "home"), "MLMINI_TLS_CERT_FILE": str(pair.certificate)}
    done = finish(["api.server"], env=environment(variables), cwd=tmp_path)
    said = "The API cannot start: MLMINI_TLS_CERT_FILE and MLMINI_TLS_KEY_FILE go together: set both, or unset both."
    assert (done.returncode, done.stderr.strip()) == (1, said)
