"""Every setting of the platform, read once from the environment.

Each field is the variable `MLMINI_<FIELD>`, and a secret may be in the file that `MLMINI_<FIELD>_FILE` names. A wrong
value stops the start with the variable's name.
"""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from shared.errors import WrongSettings, did_you_mean
from shared.hosts import address_alone, is_origin, plain_name
from shared.machine import this_machine
from shared.secret_files import ENDING, WithSecretFiles, secret_names
from shared.setting_problems import problems_of
from shared.setting_values import class_path, dask_files_missing, issuer, network, public_origin, safe_scheduler, split

PREFIX = "MLMINI_"

# Variables with the prefix that are not settings: of the command line, of the fail points and of the tests.
_OTHERS = {
    *("API_KEY", "API_KEY_FILE", "AUDIT", "CASES", "CHAOS", "FAIL", "HYPOTHESIS_PROFILE"),
    *("TEST_BROWSER", "TEST_STACK", "URL"),
}

# A duration is added to a moment in SQL, and SQLite knows no moment after the year 9999.
_DAY_SECONDS = 86_400
_TEN_YEARS_HOURS = 87_600

# Stages are part of object keys and file names.
_STAGE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")

# A pool is part of the names of lists in Redis.
POOL = re.compile(r"[a-z0-9_-]{1,32}")
DEFAULT_POOL = "default"

_LISTS = ("pools", "stages", "estimators", "allowed_hosts", "cors_origins", "trusted_proxies")


def _slots(values: dict[str, Any]) -> int:
    # A wrong amount of memory is not among the values; it is refused elsewhere.
    return this_machine().slots(job_memory_mb=values.get("job_memory_mb", 1))


def _cores() -> int:
    return this_machine().cores


class Settings(WithSecretFiles):
    """The typed settings; build it with `load_settings()`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="ignore")

    # Where things are.
    home: Annotated[Path, AfterValidator(Path.absolute)] = Path(".mlmini")
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    grpc_port: int | None = Field(default=None, ge=1, le=65535)
    api_workers: int = Field(default=1, ge=1, le=64)
    flower_port: int = Field(default=5555, ge=1, le=65535)
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    trusted_proxies: Annotated[tuple[Annotated[str, AfterValidator(network)], ...], NoDecode] = ()
    tls_cert_file: Path | None = None
    tls_key_file: Path | None = None
    database_url: SecretStr | None = None
    database_owner_url: SecretStr | None = None
    redis_url: SecretStr = SecretStr("redis://127.0.0.1:6379/0")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    allow_open: bool = False
    published_on: Annotated[str, AfterValidator(address_alone)] | None = None
    serve_keys: SecretStr | None = None
    examples: bool = True

    # Access.
    admin_password_file: Path | None = None
    flower_password_file: Path | None = None
    access_grace_seconds: float = Field(default=60, ge=0, le=_DAY_SECONDS)
    rate_limit: int = Field(default=600, ge=0, le=1_000_000)
    predict_rate_limit: int = Field(default=0, ge=0, le=1_000_000)
    max_queued_jobs: int = Field(default=10_000, ge=0)
    max_jobs_per_owner: int = Field(default=0, ge=0)
    max_running_per_owner: int = Field(default=0, ge=0)
    storage_mb_per_owner: int = Field(default=0, ge=0)

    # Logins through an identity provider.
    public_url: Annotated[str, AfterValidator(public_origin)] | None = None
    oidc_issuer: Annotated[str, AfterValidator(issuer)] | None = None
    oidc_client_id: str | None = None
    oidc_client_secret_file: Path | None = None
    oidc_scopes: str = "openid profile email"
    oidc_acr: str | None = None
    oidc_name_claim: str = "preferred_username"
    oidc_groups_claim: str = "groups"
    oidc_roles: str | None = None
    oidc_new_users: bool = False

    # Object store: a directory below `home`, or any S3 server.
    store: Literal["local", "s3"] = "local"
    datasets_bucket: str = "datasets"
    models_bucket: str = "trained-models"
    predictions_bucket: str = "predictions"
    s3_endpoint_url: str | None = None
    s3_region: str = "us-east-1"
    s3_access_key: SecretStr | None = None
    s3_secret_key: SecretStr | None = None

    # Registry.
    stages: Annotated[tuple[str, ...], NoDecode] = ("dev", "staging", "production")
    artifact_key: SecretStr | None = None
    artifact_keys_old: SecretStr | None = None
    export_key: SecretStr | None = None

    # Classes of own packages, beside those of entry points.
    estimators: Annotated[tuple[Annotated[str, AfterValidator(class_path)], ...], NoDecode] = ()

    # A Dask cluster that is there already, on which fits are computed.
    dask_scheduler: Annotated[str, AfterValidator(safe_scheduler)] | None = None
    dask_ca_file: Path | None = None
    dask_cert_file: Path | None = None
    dask_key_file: Path | None = None

    # Limits.
    upload_max_bytes: int = Field(default=8 * 2**30, ge=1)
    table_max_bytes: int = Field(default=16 * 2**30, ge=1)
    table_max_columns: int = Field(default=5000, ge=1)
    json_max_bytes: int = Field(default=4 * 2**20, ge=1024)
    header_seconds: float = Field(default=20, gt=0, le=_DAY_SECONDS)
    body_seconds: float = Field(default=30, gt=0, le=_DAY_SECONDS)
    max_connections: int = Field(default=1000, ge=1)
    predict_max_cells: int = Field(default=200_000, ge=1)
    predict_seconds: float = Field(default=30, gt=0, le=_DAY_SECONDS)
    reader_memory_mb: int = Field(default=2048, ge=256)
    reader_seconds: float = Field(default=600, gt=0)
    model_cache_mb: int = Field(default=1024, ge=1)
    predictors: int = Field(default=1, ge=1, le=64)
    predictor_memory_mb: int = Field(default=2048, ge=256)

    # Jobs.
    job_memory_mb: int = Field(default=4096, ge=256)
    # After the memory of a job, because it depends on that.
    worker_slots: int = Field(default_factory=_slots, ge=1)
    pools: Annotated[tuple[str, ...], NoDecode] = (DEFAULT_POOL,)
    job_cpus: int = Field(default_factory=_cores, ge=1)
    job_seconds: float = Field(default=3600, gt=0)
    folds: int = Field(default=5, ge=0, le=20)
    job_log_lines: int = Field(default=1000, ge=10)
    lease_seconds: float = Field(default=60, gt=0, le=_DAY_SECONDS)
    beat_seconds: float = Field(default=15, gt=0, le=_DAY_SECONDS)
    drain_seconds: float = Field(default=30, ge=0)
    poll_seconds: float = Field(default=1, gt=0, le=_DAY_SECONDS)
    relay_seconds: float = Field(default=2, gt=0, le=_DAY_SECONDS)
    rescue_seconds: float = Field(default=10, gt=0, le=_DAY_SECONDS)
    max_transient_failures: int = Field(default=5, ge=0)
    max_crashes: int = Field(default=3, ge=1)
    retry_base_seconds: float = Field(default=2, gt=0, le=_DAY_SECONDS)
    idempotency_hours: float = Field(default=24, gt=0, le=_TEN_YEARS_HOURS)

    # The janitor.
    janitor_seconds: float = Field(default=600, gt=0, le=_DAY_SECONDS)
    keep_log_days: float = Field(default=30, gt=0, le=_TEN_YEARS_HOURS / 24)
    keep_prediction_days: float = Field(default=30, gt=0, le=_TEN_YEARS_HOURS / 24)
    orphan_hours: float = Field(default=24, gt=0, le=_TEN_YEARS_HOURS)
    collect: Literal["delete", "report", "off"] = "delete"

    @model_validator(mode="before")
    @classmethod
    def _split_lists(cls, values: dict[str, object]) -> dict[str, object]:
        return values | {name: split(values[name]) for name in _LISTS if name in values}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.beat_seconds > self.lease_seconds / 3:
            raise ValueError("MLMINI_BEAT_SECONDS must be at most a third of MLMINI_LEASE_SECONDS, or leases run out")
        if len(set(self.stages)) != len(self.stages) or not all(_STAGE.fullmatch(s) for s in self.stages):
            raise ValueError("MLMINI_STAGES must be distinct names of at most 64 letters, digits and underscores")
        if len(set(self.pools)) != len(self.pools) or not all(map(POOL.fullmatch, self.pools)):
            raise ValueError(
                "MLMINI_POOLS must be distinct names of at most 32 of a-z, 0-9, _ and -, with commas between"
            )
        if not all(map(plain_name, self.allowed_hosts)):
            raise ValueError("MLMINI_ALLOWED_HOSTS must be names or addresses without ports, such as ml.example.org")
        if not all(map(is_origin, self.cors_origins)):
            raise ValueError(
                "MLMINI_CORS_ORIGINS must be origins such as https://ml.example.org or http://localhost:3000"
            )
        if self.store == "s3" and not (self.s3_access_key and self.s3_secret_key):
            raise ValueError("MLMINI_STORE=s3 needs MLMINI_S3_ACCESS_KEY and MLMINI_S3_SECRET_KEY")
        if missing := dask_files_missing(vars(self)):
            raise ValueError(
                f"MLMINI_DASK_SCHEDULER by TLS needs {', '.join(f'{PREFIX}{name.upper()}' for name in missing)}, too"
            )
        return self

    @property
    def sqlalchemy_url(self) -> str:
        """The database's URL; SQLite below `home` unless one is set."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        if self.database_owner_url is not None:
            raise WrongSettings(
                "MLMINI_DATABASE_OWNER_URL: with this account the tables are made, and nothing else is done. Name the "
                "other one in MLMINI_DATABASE_URL, or database.url of the home in MLMINI_DATABASE_URL_FILE"
            )
        return f"sqlite:///{self.home / 'ml_registry.db'}"

    @property
    def process_connections(self) -> int:
        """The share of the connections that each API process has."""
        return -(-self.max_connections // self.api_workers)

    @property
    def scratch(self) -> Path:
        """The folder for files that only one process needs for a while."""
        return self.home / "scratch"


def load_settings() -> Settings:
    """Read the settings from the environment.

    Raises:
        WrongSettings: naming each variable that is wrong and what is wrong with it, and each that is unknown.
    """
    problems = unknown_names()
    try:
        settings = Settings()
    except ValidationError as error:
        problems += problems_of(error, PREFIX)
    except WrongSettings as error:
        problems.append(error.detail)
    if problems:
        raise WrongSettings("; ".join(problems))
    return settings


def unknown_names() -> list[str]:
    """A sentence for each variable that looks like a setting and is not one: a misspelt one would change nothing."""
    settings = {field.upper() for field in Settings.model_fields}
    settings |= {field.upper() + ENDING for field in secret_names(Settings.model_fields)}
    unknown = []
    for variable in sorted(name for name, value in os.environ.items() if value):
        name = variable.upper().removeprefix(PREFIX)
        if variable.upper().startswith(PREFIX) and name not in settings | _OTHERS:
            near = did_you_mean(name, sorted(settings | _OTHERS)).replace("'", f"'{PREFIX}", 1)
            unknown.append(f"{variable} is not a setting.{near} Unset it, or correct its name")
    return unknown
