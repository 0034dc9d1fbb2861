"""Fixtures for every test. Servers start when the first test asks for one, once per pytest process.

The variable MLMINI_TEST_STACK says what the tests of the API and of the worker run on: `embedded`, `full`,
`mixed` or `both`.
"""

import functools
import gc
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpcore2
import pytest
import structlog
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

from shared.database import Database
from shared.migration import upgrade
from shared.object_store import ObjectStore, open_store
from shared.sandbox import client
from shared.settings import PREFIX, Settings
from tests.support.buckets import Buckets, new_buckets
from tests.support.remembered_routes import remember_routes
from tests.support.s3_descriptions import remember_descriptions
from tests.support.servers import S3, PostgreSQL, Valkey, running
from tests.support.spreading import Spread
from tests.support.stack import (
    FULL,
    MIXED,
    POSTGRESQL,
    SQLITE,
    TEMPLATE,
    Embedded,
    Full,
    Stack,
    chosen_stack,
    database_of_a_mixture,
    stacks_of,
)
from tests.support.zygote import SharedZygotes, start_server

_START_SERVER = client.start_server
_CHOSEN = pytest.StashKey[str]()
_ZYGOTES = pytest.StashKey[SharedZygotes]()

# Where tests take long. Of several processes, none is left alone with those at the end.
_FIRST = ("chaos", "worker", "e2e", "property")


def pytest_configure(config: pytest.Config) -> None:
    """Read what the tests run on before `clean_environment` takes the variable from them."""
    # Threads of a fit that have nothing to do sleep. By default they ask again and again, which on a machine with more
    # test processes than cores takes several times as long as what they wait for.
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    # Those of BLAS cannot be told so; processes that are started from here have none.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    remember_routes()
    # Each client would read all authorities of this machine, and none of them meets TLS.
    httpcore2.default_ssl_context = functools.cache(httpcore2.default_ssl_context)
    # Until all tests are collected: next to nothing of what is made until then is garbage.
    gc.disable()
    try:
        config.stash[_CHOSEN] = chosen_stack()
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None
    shared = getattr(config, "workerinput", {}).get("zygotes")
    if shared is not None:
        SharedZygotes(Path(shared)).use()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: WorkerController) -> None:
    """Let all processes of this run have their zygotes from the same one; elsewhere than on Linux nothing is forked."""
    if sys.platform != "linux":
        return
    stash = node.config.stash
    if _ZYGOTES not in stash:
        folder = tempfile.mkdtemp(prefix="mlmini-test-")
        stash[_ZYGOTES] = SharedZygotes(Path(folder))
        started = stash[_ZYGOTES].start()
        node.config.add_cleanup(lambda: _end(started, folder))
    node.workerinput["zygotes"] = str(stash[_ZYGOTES].folder)


def _end(processes: list[subprocess.Popen[bytes]], folder: str) -> None:
    for process in processes:
        process.kill()
        process.wait()
    shutil.rmtree(folder)


def pytest_report_header(config: pytest.Config) -> str:
    """Say what the tests run on."""
    return f"stack: {config.stash[_CHOSEN]}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test on the stacks that are asked for, and one that shows the same on all of them once."""
    if "stack" in metafunc.fixturenames:
        once = metafunc.definition.get_closest_marker("any_stack") is not None
        stacks = stacks_of(metafunc.definition.nodeid, metafunc.config.stash[_CHOSEN], once=once)
        metafunc.parametrize("stack", stacks, indirect=True, scope="session")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put tests in their order, and refuse two of one name: several processes do only one of them, and say nothing.

    Leave out those that the chosen stack has run elsewhere.
    """
    left_out = [item for item in items if not _is_asked_for(item, config.stash[_CHOSEN])]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if _is_asked_for(item, config.stash[_CHOSEN])]
    items.sort(key=_turn)
    names = Counter(item.nodeid for item in items)
    twice = sorted(name for name, count in names.items() if count > 1)
    if twice:
        raise pytest.UsageError(f"more than one test has the name {', '.join(twice)}")


def pytest_collection_finish() -> None:
    """What is there now is no garbage: to look at it again and again takes a sixth of the time of many tests."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    """With `--dist loadfile` only the files stay together whose tests share something."""
    return Spread(config, log) if config.getoption("dist") == "loadfile" else None


def _is_asked_for(item: pytest.Item, chosen: str) -> bool:
    """On the full stack, only what it changes something for; of a mixture, a part of the platform on one database, and
    each thing once.
    """
    if chosen == FULL:
        return _depends_on_stack(item)
    if chosen == MIXED and item.get_closest_marker("thorough"):
        return False
    if chosen == MIXED and isinstance(item, pytest.Function) and hasattr(item, "callspec"):
        database = item.callspec.params.get("database_url")
        return database is None or database == database_of_a_mixture(f"{item.path.name}::{item.originalname}")
    return True


def _depends_on_stack(item: pytest.Item) -> bool:
    if item.get_closest_marker("any_stack") is not None:
        return False
    return isinstance(item, pytest.Function) and "stack" in item.fixturenames


def _turn(item: pytest.Item) -> int:
    folder = item.path.parent.name
    return _FIRST.index(folder) if folder in _FIRST else len(_FIRST)


@pytest.fixture(scope="session", autouse=True)
def clean_environment() -> Iterator[None]:
    """No setting of the person who runs the tests reaches them, and no proxy stands before the local servers."""
    with pytest.MonkeyPatch.context() as patched:
        for name in list(os.environ):
            if name.startswith(PREFIX):
                patched.delenv(name)
        patched.setenv("NO_PROXY", "127.0.0.1,localhost")
        yield


@pytest.fixture(scope="session", autouse=True)
def heard_signals() -> None:
    """Processes that tests start hear the signals that they are sent, whoever started the tests, such as nohup."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def forked_servers() -> Iterator[None]:
    """Fork servers that objects of this process start have their imports from the zygote."""
    with pytest.MonkeyPatch.context() as patched:
        if sys.platform == "linux":
            patched.setattr(client, "start_server", start_server)
        yield


@pytest.fixture(scope="module")
def servers_by_command_line(forked_servers: None) -> Iterator[None]:
    """Fork servers of the tests of a file start as they do in production."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(client, "start_server", _START_SERVER)
        yield


@pytest.fixture(scope="module")
def uncounted() -> Iterator[None]:
    """Processes that the tests of a file start count no lines: others show the same, and they take a third less."""
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
        yield


@pytest.fixture(scope="session", autouse=True)
def plain_log() -> None:
    """Errors in the log of a test have plain tracebacks: drawn with all variables, each takes a second."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
        ]
    )


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a home of their own: SQLite and a local store, nothing made yet."""
    return Settings(home=tmp_path / "home")


@pytest.fixture(scope="session")
def valkey() -> Iterator[Valkey]:
    """A Valkey server for the whole run; give your keys a prefix of their own."""
    server = Valkey()
    with running(server):
        yield server


@pytest.fixture
def own_valkey() -> Iterator[Valkey]:
    """A Valkey that the test may stop and empty."""
    server = Valkey()
    with running(server):
        yield server


@pytest.fixture(scope="session")
def valkey_url(valkey: Valkey) -> str:
    """The Redis URL of the shared Valkey server."""
    return valkey.url


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgreSQL]:
    """A PostgreSQL server with one migrated database, from which those of the tests are copied."""
    server = PostgreSQL()
    with running(server):
        server.execute(f"CREATE DATABASE {TEMPLATE}")
        _migrate(server.url(TEMPLATE))
        yield server


@pytest.fixture
def postgres_url(postgres: PostgreSQL) -> Iterator[str]:
    """The URL of a fresh migrated PostgreSQL database."""
    with postgres.fresh_database(TEMPLATE) as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of a fresh migrated SQLite database."""
    path = tmp_path / "test.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=[SQLITE, POSTGRESQL])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a fresh migrated database; the test runs on both kinds, or on one of them."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == SQLITE else "postgres_url")
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A fresh migrated database; the test runs on both kinds, or on one of them."""
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3]:
    """An S3 server for the whole run; use buckets of your own."""
    server = S3()
    remember_descriptions()
    with running(server):
        yield server


@pytest.fixture
def s3_settings(tmp_path: Path, s3_server: S3) -> Settings:
    """Settings of an S3 store with bucket names of their own, not made yet."""
    return new_buckets(s3_server, tmp_path / "home")


@pytest.fixture(scope="session")
def buckets(s3_server: S3) -> Iterator[Buckets]:
    """Buckets to lend for the time of a test."""
    with closing(Buckets(s3_server)) as buckets:
        yield buckets


@pytest.fixture
def lent_s3_settings(tmp_path: Path, buckets: Buckets) -> Iterator[Settings]:
    """Settings of an S3 store with empty buckets."""
    with buckets.lend(tmp_path / "home") as settings:
        yield settings


@pytest.fixture(params=["local", "s3"])
def store_settings(request: pytest.FixtureRequest) -> Settings:
    """Settings of an empty object store; the test runs on both kinds."""
    settings: Settings = request.getfixturevalue("settings" if request.param == "local" else "lent_s3_settings")
    return settings


@pytest.fixture
def store(store_settings: Settings) -> Iterator[ObjectStore]:
    """An empty object store with its buckets; the test runs on both kinds."""
    store = open_store(store_settings)
    store.prepare()
    yield store
    store.close()


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest) -> Stack:
    """What a test of the API or of the worker runs on."""
    if request.param == FULL:
        return Full(*(request.getfixturevalue(name) for name in ("postgres", "s3_server", "buckets", "valkey")))
    return Embedded(request.getfixturevalue("sqlite_template"))


def _migrate(url: str) -> None:
    database = Database(url)
    upgrade(database)
    database.close()
