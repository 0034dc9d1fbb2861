"""What a wrong environment says."""

import re
import subprocess
from pathlib import Path

import pytest

from cli.launcher.published import home_folder
from shared.errors import WrongSettings
from shared.machine import this_machine
from shared.secret_files import secret_names
from shared.settings import Settings, load_settings

ROOT = Path(__file__).parents[2]
MISSPELLING = {
    f"tests/{name}.py" for name in ("unit/test_settings", "unit/test_command_line_pieces", "integration/test_doctor")
}
# A variable that is read or set; those of remarks and sentences do not count.
USED = re.compile(r"""(?:["']|\b(?:export )?)MLMINI_([A-Z][A-Z0-9_]*)(?:["']|[:=])""")


def load(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(f"MLMINI_{name}", value)
    return load_settings()


def test_an_empty_environment_is_a_laptop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings()
    assert settings.home == tmp_path / ".mlmini"
    assert settings.sqlalchemy_url == f"sqlite:///{tmp_path}/.mlmini/ml_registry.db"
    assert settings.scratch == tmp_path / ".mlmini" / "scratch"
    assert settings.store == "local"
    assert settings.worker_slots == this_machine().slots(job_memory_mb=4096)


def test_jobs_that_may_use_all_the_memory_run_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, JOB_MEMORY_MB=str(this_machine().memory_mb)).worker_slots == 1


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load(monkeypatch, **dict.fromkeys([field.upper() for field in Settings.model_fields], ""))
    assert settings == Settings()
    assert settings.model_fields_set == set()
    assert home_folder() == settings.home == tmp_path / ".mlmini"


def test_every_kind_of_value_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(
        monkeypatch,
        HOME="/srv/mlmini",
        PORT="9000",
        STAGES="dev, canary ,production",
        ALLOWED_HOSTS="ml.example.org, [fd00::1]",
        CORS_ORIGINS="https://ml.example.org, http://localhost:3000,http://[::1]:8000",
        LEASE_SECONDS="4.5",
        BEAT_SECONDS="1.5",
        DATABASE_URL="postgresql://db/mlmini",
        STORE="s3",
        S3_ACCESS_KEY="key",
        S3_SECRET_KEY="secret",
    )
    assert settings.home == Path("/srv/mlmini")
    assert settings.port == 9000
    assert settings.stages == ("dev", "canary", "production")
    assert settings.allowed_hosts == ("ml.example.org", "[fd00::1]")
    assert settings.cors_origins == ("https://ml.example.org", "http://localhost:3000", "http://[::1]:8000")
    assert settings.beat_seconds == 1.5
    assert settings.sqlalchemy_url == "postgresql://db/mlmini"
    assert settings.s3_secret_key is not None
    assert settings.s3_secret_key.get_secret_value() == "secret"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "web"),
        ("PORT", "0"),
        ("FLOWER_PORT", "70000"),
        ("STORE", "ftp"),
        ("LOG_LEVEL", "loud"),
        ("WORKER_SLOTS", "0"),
        ("WORKER_SLOTS", "2.5"),
        ("JOB_MEMORY_MB", "-1"),
        ("JOB_SECONDS", "0"),
        ("DRAIN_SECONDS", "-1"),
        ("LEASE_SECONDS", "soon"),
        ("MAX_CRASHES", "0"),
        ("UPLOAD_MAX_BYTES", "8 GB"),
        ("IDEMPOTENCY_HOURS", "-1"),
        ("COLLECT", "sometimes"),
        # Moments that SQLite cannot tell would be NULL there.
        *((name, "1e12") for name in ("IDEMPOTENCY_HOURS", "ORPHAN_HOURS", "KEEP_LOG_DAYS", "LEASE_SECONDS")),
        *((name, "inf") for name in ("RETRY_BASE_SECONDS", "POLL_SECONDS", "RELAY_SECONDS", "JANITOR_SECONDS")),
        ("ALLOW_OPEN", "perhaps"),
        ("TRUSTED_PROXIES", "gateway"),
    ],
)
def test_a_wrong_value_is_refused_with_the_name_of_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(WrongSettings) as refused:
        load(monkeypatch, **{name: value})
    assert refused.value.detail.startswith(f"MLMINI_{name}: ")


@pytest.mark.parametrize("stages", [",", "dev,dev", "dev,,production", "dev,pro duction", "dev,../up", "dév", "s" * 65])
def test_stages_that_cannot_be_part_of_a_file_name_are_refused(monkeypatch: pytest.MonkeyPatch, stages: str) -> None:
    with pytest.raises(WrongSettings, match="MLMINI_STAGES"):
        load(monkeypatch, STAGES=stages)


@pytest.mark.parametrize("hosts", ["ml.example.org:8000", "http://ml.example.org", "*", "ml.example.org,", "bücher.de"])
def test_hosts_that_no_request_can_name_are_refused(monkeypatch: pytest.MonkeyPatch, hosts: str) -> None:
    with pytest.raises(WrongSettings, match="MLMINI_ALLOWED_HOSTS"):
        load(monkeypatch, ALLOWED_HOSTS=hosts)


NO_ORIGINS = {
    "no scheme": "ml.example.org",
    "another scheme": "ftp://ml.example.org",
    "a path": "https://ml.example.org/",
    "all": "*",
    "a wildcard": "https://*.example.org",
    "null": "null",
    "capitals": "https://ML.example.org",
    "the usual port": "https://ml.example.org:443",
    "one that is empty": "https://ml.example.org,",
}


@pytest.mark.parametrize("origins", NO_ORIGINS.values(), ids=NO_ORIGINS)
def test_origins_that_no_browser_sends_are_refused(monkeypatch: pytest.MonkeyPatch, origins: str) -> None:
    with pytest.raises(WrongSettings, match="MLMINI_CORS_ORIGINS"):
        load(monkeypatch, CORS_ORIGINS=origins)


@pytest.mark.asvs("2.2.3")
@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"LEASE_SECONDS": "30", "BEAT_SECONDS": "15"}, ["MLMINI_BEAT_SECONDS", "MLMINI_LEASE_SECONDS"]),
        ({"STORE": "s3"}, ["MLMINI_STORE", "MLMINI_S3_ACCESS_KEY", "MLMINI_S3_SECRET_KEY"]),
        ({"STORE": "s3", "S3_ACCESS_KEY": "key"}, ["MLMINI_S3_SECRET_KEY"]),
    ],
)
def test_values_that_do_not_fit_together_are_refused_with_all_their_names(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], named: list[str]
) -> None:
    with pytest.raises(WrongSettings) as refused:
        load(monkeypatch, **variables)
    assert [name for name in named if name not in refused.value.detail] == []


def test_all_wrong_variables_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WrongSettings, match=r"(?s)MLMINI_PORT.*MLMINI_STORE|MLMINI_STORE.*MLMINI_PORT"):
        load(monkeypatch, PORT="web", STORE="ftp")


def test_nothing_is_said_of_a_default_that_depends_on_a_wrong_value(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WrongSettings) as refused:
        load(monkeypatch, PORT="abc")
    assert refused.value.detail == ("MLMINI_PORT: It must be a whole number")


@pytest.mark.parametrize(
    ("name", "near"), [("POORT", "PORT"), ("DATABSE_URL", "DATABASE_URL"), ("LEASE_SECOND", "LEASE_SECONDS")]
)
def test_a_misspelt_name_stops_the_start_with_the_name_that_was_meant(
    monkeypatch: pytest.MonkeyPatch, name: str, near: str
) -> None:
    with pytest.raises(WrongSettings) as refused:
        load(monkeypatch, **{name: "hush"})
    assert f"MLMINI_{name} is not a setting. Did you mean 'MLMINI_{near}'?" in refused.value.detail
    assert "hush" not in refused.value.detail


def test_unknown_names_are_told_beside_wrong_values(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WrongSettings, match=r"MLMINI_QQQ is not a setting\. Unset it.*MLMINI_PORT: "):
        load(monkeypatch, QQQ="1", PORT="web")


def test_an_unknown_name_without_a_value_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, POORT="").port == 8000


def test_names_that_are_no_settings_are_known_if_the_project_uses_them(monkeypatch: pytest.MonkeyPatch) -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    used = {
        name
        for path in tracked
        if path.endswith((".py", ".yml", "Makefile", "run")) and path not in MISSPELLING
        for name in USED.findall((ROOT / path).read_text())
    }
    assert {"URL", "TEST_STACK", "FAIL"} <= used
    settings = {*Settings.model_fields, *(f"{name}_file" for name in secret_names(Settings.model_fields))}
    load(monkeypatch, **{name: "" if name.lower() in settings else "x" for name in used})


def test_an_open_host_is_taken_when_it_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, HOST="0.0.0.0", ALLOW_OPEN="1").host == "0.0.0.0"  # noqa: S104 - it only is a setting


@pytest.mark.asvs("14.2.4", "16.2.5")
def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = {"DATABASE_URL": "postgresql://me:hush@db/x", "ARTIFACT_KEY": "hush", "S3_SECRET_KEY": "hush"}
    settings = load(monkeypatch, **secrets)
    assert "hush" not in repr(settings) + str(settings.model_dump())
    with pytest.raises(WrongSettings) as refused:
        load(monkeypatch, STORE="s3", **secrets)
    assert "hush" not in str(refused.value)
