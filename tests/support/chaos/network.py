"""The network of a cluster: the ports of its servers, and settings that lead to them through proxies."""

from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr
from sqlalchemy.engine import make_url

from shared.settings import Settings
from tests.support.chaos.backends import OBJECTS, POSTGRESQL, Backends, Kind
from tests.support.proxy import Proxy
from tests.support.servers import Valkey

DATABASE, REDIS, STORE = "database", "redis", "store"
# The server asks nobody for a password: this one is there to be looked for in what clients are told.
PLANTED = "s3cr3t-w0rd"


def ports(backends: Backends, kind: Kind, valkey: Valkey) -> dict[str, int]:
    """The ports of the servers that the installation reaches by one."""
    ports = {REDIS: valkey.port}
    if kind.database == POSTGRESQL:
        ports[DATABASE] = backends.postgres.port
    if kind.store == OBJECTS:
        ports[STORE] = backends.s3.port
    return ports


def by_proxies(settings: Settings, proxies: Mapping[str, Proxy]) -> Settings:
    """The same settings with the ports of the proxies."""
    changes: dict[str, Any] = {}
    redis = make_url(settings.redis_url.get_secret_value())
    changes["redis_url"] = SecretStr(f"redis://127.0.0.1:{proxies[REDIS].port}/{redis.database}")
    if DATABASE in proxies and settings.database_url is not None:
        # The server asks nobody for a password: this one is there to be looked for in what clients are told.
        url = make_url(settings.database_url.get_secret_value()).set(port=proxies[DATABASE].port, password=PLANTED)
        changes["database_url"] = SecretStr(url.render_as_string(hide_password=False))
    if STORE in proxies:
        changes["s3_endpoint_url"] = proxies[STORE].url
    return settings.model_copy(update=changes)
