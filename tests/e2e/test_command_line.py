"""Every verb of `mlmini` as a process, against a real platform."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.command_line import COLOURS, ESCAPES, WIDTH, CommandLine
from tests.support.launcher import Launcher, launched
from tests.support.proxy import proxy_to

MODEL = "linear_model.LogisticRegression"
SLOW = ["ensemble.RandomForestClassifier", "--param", "n_estimators=10000"]
ROWS = ["1.4,0.2,setosa", "4.7,1.4,versicolor", "NA,0.2,setosa", "5.9,2.1,virginica"] * 15
TABLE = "\n".join(["petal_length,petal_width,species", *ROWS, ""])
# What tables are drawn with; a pipe gets none of it.
LINES = set("─━│┃┏┓┗┛┌┐└┘├┤")


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    variables = {"MLMINI_EXAMPLES": "0", "MLMINI_WORKER_SLOTS": "2"}
    with launched(tmp_path_factory.mktemp("platform") / "home", variables) as launcher:
        yield launcher


@pytest.fixture(scope="module")
def mlmini(platform: Launcher, tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    return CommandLine(tmp_path_factory.mktemp("folder"), platform.url("Readiness").removesuffix("/readyz"))


@pytest.fixture(scope="module")
def client(platform: Launcher) -> Iterator[httpx2.Client]:
    with platform.client() as client:
        yield client


@pytest.fixture(scope="module")
def flowers(mlmini: CommandLine) -> int:
    """The dataset `flowers` with a model that is active in staging; its version."""
    (mlmini.folder / "flowers.csv").write_text(TABLE)
    mlmini.succeed("datasets", "upload", "flowers.csv", "--description", "measured in May")
    job = mlmini.succeed("train", "flowers", "--target", "species", "--model", MODEL, "--json").document
    version: int = job["result"]["version"]
    mlmini.succeed("promote", "flowers", str(version), "staging")
    return version


def test_an_upload_shows_what_is_in_each_column(mlmini: CommandLine) -> None:
    (mlmini.folder / "trees.csv").write_text("height,kind\n1.5,oak\n,elm\n")
    shown = mlmini.succeed("datasets", "upload", "trees.csv", "--name", "My Trees", "--description", "old").out
    assert "my_trees" in shown
    assert "1.5 to 1.5" in shown
    assert "oak, elm" in shown


def test_an_upload_of_known_bytes_tells_that_nothing_was_added(mlmini: CommandLine, flowers: int) -> None:
    again = mlmini.succeed("datasets", "upload", "flowers.csv", "--json")
    assert again.document["version"] == 1
    assert "nothing was added" in again.err


def test_a_dry_run_of_an_upload_shows_the_first_rows_and_stores_nothing(mlmini: CommandLine) -> None:
    (mlmini.folder / "looked.csv").write_text("height;kind\n1,5;oak\n2,5;elm\n")
    options = ["--delimiter", ";", "--decimal", ",", "--kind", "kind=category", "--dry-run"]
    shown = mlmini.succeed("datasets", "upload", "looked.csv", *options).out
    assert "nothing is stored yet" in shown
    assert "oak" in shown
    assert mlmini.run("datasets", "show", "looked").status == 1


def test_what_the_reading_found_is_told_in_yellow(mlmini: CommandLine) -> None:
    (mlmini.folder / "towns.csv").write_text("height,town\n" + "1,Rome\n2,NA\n3,Oslo\n" * 3)
    told = "gap_word (column town, line 3)"
    for verb in (["upload", "towns.csv"], ["upload", "towns.csv", "--dry-run"], ["show", "towns"]):
        assert told in mlmini.succeed("datasets", *verb).out
    again = mlmini.succeed("datasets", "reread", "towns", "--no-gap-words").out
    assert told not in again
    _, shown = mlmini.at_terminal("datasets", "reread", "towns")
    assert "\x1b[1;33mgap_word" in shown


def test_a_version_is_read_anew(mlmini: CommandLine) -> None:
    (mlmini.folder / "anew.csv").write_text("height,kind\n1.5,oak\n2.5,elm\n")
    mlmini.succeed("datasets", "upload", "anew.csv")
    again = mlmini.succeed("datasets", "reread", "anew", "--json")
    assert again.document["version"] == 1
    assert "Version 1 is read in this way already; nothing was added." in again.err
    assert "1, which is there already" in mlmini.succeed("datasets", "reread", "anew", "--dry-run").out
    refused = mlmini.run("datasets", "reread", "anew", "--header", "none")
    assert refused.status == 1
    assert "--names has to give the names of the columns" in refused.err


READING = {
    "datasets list": "/datasets?limit=50",
    "datasets show flowers": "/datasets/flowers",
    "datasets versions flowers": "/datasets/flowers/versions?limit=20",
    "datasets preview flowers --rows 3 --version 1": "/datasets/flowers/preview?rows=3&version=1",
    "estimators --module svm": "/estimators?limit=200&module=svm",
    "estimators svm.SVC": "/estimators/svm/SVC",
    "jobs list --limit 2": "/jobs?limit=2",
    "jobs list --kind promote --status succeeded --dataset flowers": (
        "/jobs?limit=20&kind=promote&status=succeeded&dataset_name=flowers"
    ),
    "models list --dataset flowers --stage staging": "/models?limit=20&dataset_name=flowers&stage=staging",
    "models show {version}": "/models/{version}",
    "models report {version}": "/models/{version}/report",
}


@pytest.mark.parametrize("words", READING)
def test_json_is_what_the_api_says(mlmini: CommandLine, client: httpx2.Client, flowers: int, words: str) -> None:
    ended = mlmini.succeed(*words.format(version=flowers).split(), "--json")
    assert ended.document == client.get(READING[words].format(version=flowers)).json()
    assert ended.out.count("\n") == 1
    assert ended.err == ""


@pytest.mark.parametrize("words", READING)
def test_a_table_in_a_pipe_is_plain_and_whole(mlmini: CommandLine, flowers: int, words: str) -> None:
    shown = mlmini.succeed(*words.format(version=flowers).split()).out
    assert not ESCAPES.search(shown)
    assert not LINES & set(shown)
    assert "…" not in shown
    assert all(line == line.rstrip() for line in shown.splitlines())


@pytest.mark.parametrize("words", READING)
def test_a_table_fits_a_terminal_of_80_columns(mlmini: CommandLine, flowers: int, words: str) -> None:
    status, shown = mlmini.at_terminal(*words.format(version=flowers).split())
    assert status == 0
    lines = ESCAPES.sub("", shown).splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert "…" not in shown


def test_colours_are_for_terminals_that_want_them(mlmini: CommandLine, flowers: int) -> None:
    assert COLOURS.search(mlmini.at_terminal("jobs", "list")[1])
    assert not COLOURS.search(mlmini.at_terminal("jobs", "list", NO_COLOR="1")[1])


def test_job_ids_are_shown_whole(mlmini: CommandLine, client: httpx2.Client, flowers: int) -> None:
    newest = client.get("/jobs").json()["items"][0]["job_id"]
    assert newest in mlmini.succeed("jobs", "list").out
    assert newest in mlmini.at_terminal("jobs", "list")[1]


def test_training_waits_and_shows_the_model(mlmini: CommandLine, flowers: int) -> None:
    ended = mlmini.succeed("train", "flowers", "--target", "species", "--model", MODEL, "--feature", "petal_width")
    assert "accuracy" in ended.out
    assert "mlmini promote flowers" in ended.out
    assert "LogisticRegression: succeeded" in ended.err


def test_training_at_a_terminal_shows_a_bar(mlmini: CommandLine, flowers: int) -> None:
    status, shown = mlmini.at_terminal("train", "flowers", "--target", "species", "--model", MODEL)
    assert status == 0
    assert "100%" in shown
    assert max(map(len, ESCAPES.sub("", shown).replace("\r", "\n").splitlines())) <= WIDTH


def test_parameters_are_json_where_they_can_be(mlmini: CommandLine, client: httpx2.Client, flowers: int) -> None:
    params = ["--param", "C=0.5", "--param", "solver=saga", "--param", "class_weight=null"]
    words = ["--target", "species", "--model", MODEL, "--test-size", "0.5", "--random-state", "7", "--detach", "--json"]
    job = mlmini.succeed("train", "flowers", *words, *params).document
    assert job["request"]["model"]["params"] == {"C": 0.5, "solver": "saga", "class_weight": None}
    assert (job["request"]["test_size"], job["request"]["random_state"]) == (0.5, 7)


def test_a_detached_training_is_waited_for_later(mlmini: CommandLine, flowers: int) -> None:
    shown = mlmini.succeed("train", "iris", "--example", "--model", MODEL, "--detach").out
    job_id = next(line.split()[1] for line in shown.splitlines() if line.startswith("Job"))
    ended = mlmini.succeed("jobs", "show", job_id, "--wait", "--json")
    assert ended.document["status"] == "succeeded"


def test_a_dry_run_tells_what_would_be_done(mlmini: CommandLine, flowers: int) -> None:
    words = ["train", "flowers", "--model", MODEL, "--dry-run", "--target"]
    assert "missing values become" in mlmini.succeed(*words, "species").out
    refused = mlmini.run(*words, "specie")
    assert refused.status == 1
    assert "Did you mean 'species'?" in refused.out


def test_priority_and_limits_are_asked_for_and_shown(mlmini: CommandLine, flowers: int) -> None:
    limits = ["--priority", "1", "--time-limit", "90", "--memory-limit", "700"]
    words = ["train", "flowers", "--target", "species", "--model", MODEL, *limits]
    assert "90 s, 700 MiB" in mlmini.succeed(*words, "--dry-run").out
    job = mlmini.succeed(*words, "--tag", "baseline", "--tag", "short", "--note", "the first", "--json").document
    assert (job["priority"], job["limits"]) == (1, {"seconds": 90, "memory_mb": 700})
    model = mlmini.succeed("models", "show", str(job["result"]["version"]), "--json").document
    assert (model["tags"], model["note"]) == (["baseline", "short"], "the first")
    shown = mlmini.succeed("jobs", "show", job["job_id"]).out
    assert "Priority  1" in shown
    assert "Limits    90 s, 700 MiB" in shown
    assert "Priority" in mlmini.succeed("jobs", "list").out.splitlines()[0]
    beyond = mlmini.run(*words, "--memory-limit", "999999")
    assert "MLMINI_JOB_MEMORY_MB" in beyond.err


def test_a_job_that_waits_is_shown_with_its_place(mlmini: CommandLine, flowers: int) -> None:
    # More of them than the worker runs at once.
    running = [slow_job(mlmini)["job_id"] for _ in range(3)]
    words = ["train", "flowers", "--target", "species", "--model", MODEL, "--priority", "9", "--detach", "--json"]
    last = mlmini.succeed(*words).document["job_id"]
    assert "Queue     place " in mlmini.succeed("jobs", "show", last).out
    for job_id in [last, *reversed(running)]:
        mlmini.succeed("jobs", "cancel", job_id)


def test_the_same_key_makes_one_job(mlmini: CommandLine, flowers: int) -> None:
    words = ["train", "flowers", "--target", "species", "--model", MODEL, "--idempotency-key", "twice", "--json"]
    assert mlmini.succeed(*words).document["job_id"] == mlmini.succeed(*words).document["job_id"]


def test_models_are_compared_with_the_best_marked(mlmini: CommandLine, flowers: int) -> None:
    words = ["train", "flowers", "--target", "species", "--model"]
    dummy = mlmini.succeed(*words, "tree.DecisionTreeClassifier", "--param", "max_depth=1", "--json").document
    versions = [str(flowers), str(dummy["result"]["version"])]
    shown = mlmini.succeed("models", "compare", *versions).out
    assert "estimator !" in shown
    assert " *" in shown
    compared = mlmini.succeed("models", "compare", *versions, "--json").document
    assert compared["versions"] == [int(version) for version in versions]


def test_a_model_is_promoted_and_retired(mlmini: CommandLine, flowers: int) -> None:
    shown = mlmini.succeed("promote", "flowers", str(flowers), "production").out
    assert f"Serving there  {flowers}" in shown
    retired = mlmini.succeed("retire", "flowers", str(flowers), "production", "--reason", "too old", "--json").document
    assert (retired["stage"], retired["reason"], retired["serving_version"]) == ("production", "too old", None)


def test_another_target_is_served_only_when_that_is_said(mlmini: CommandLine) -> None:
    (mlmini.folder / "fish.csv").write_text(TABLE)
    mlmini.succeed("datasets", "upload", "fish.csv")
    versions = []
    for target, model in (("species", MODEL), ("petal_width", "linear_model.LinearRegression")):
        made = mlmini.succeed("train", "fish", "--target", target, "--model", model, "--json").document
        versions.append(str(made["result"]["version"]))
    species, width = versions
    mlmini.succeed("promote", "fish", species, "staging")
    refused = mlmini.run("promote", "fish", width, "staging")
    assert refused.status == 1
    assert f"version {species}, which serves in 'staging', predicts 'species'" in refused.err
    shown = mlmini.succeed("promote", "fish", width, "staging", "--replace-target").out
    assert "Target         petal_width" in shown
    assert f"Retired there  {species}" in shown
    listed = mlmini.succeed("models", "list", "--dataset", "fish", "--target", "species").out
    assert [line.split()[:3] for line in listed.splitlines()[1:]] == [[species, "fish", "species"]]
    # In dev both are active, so its answer depends on what is asked for.
    rows = mlmini.succeed("predict", "fish", "fish.csv", "-e", "dev", "--target", "species").out
    assert rows.splitlines()[1].endswith(",setosa")
    assert mlmini.run("retire", "fish", width, "dev").status == 1
    retired = mlmini.succeed("retire", "fish", width, "dev", "--replace-target").out
    assert f"Serving there  {species}, which predicts species" in retired


def test_all_estimators_are_listed_by_default(mlmini: CommandLine, client: httpx2.Client, flowers: int) -> None:
    shown = mlmini.succeed("estimators").out.splitlines()
    assert len(shown) == 1 + len(client.get("/estimators?limit=200").json()["items"])
    assert ["ensemble.RandomForestClassifier", "classification"] in [line.split()[:2] for line in shown]


def test_a_misspelt_estimator_is_told_with_the_one_that_was_meant(mlmini: CommandLine) -> None:
    ended = mlmini.run("estimators", "ensemble.RandomForestClasifier")
    assert ended.status == 1
    assert "Did you mean 'ensemble.RandomForestClassifier'?" in ended.err


def test_a_dataset_is_deleted_and_one_with_models_is_archived(mlmini: CommandLine, flowers: int) -> None:
    (mlmini.folder / "brief.csv").write_text("a,b\n1,2\n")
    mlmini.succeed("datasets", "upload", "brief.csv")
    assert mlmini.succeed("datasets", "delete", "brief").out == "Dataset brief is deleted.\n"
    assert mlmini.run("datasets", "show", "brief").status == 1
    words = ["train", "iris", "--example", "--model", MODEL, "--json"]
    mlmini.succeed(*words)
    refused = mlmini.run("datasets", "delete", "iris")
    assert refused.status == 1
    assert "`mlmini datasets delete iris --archive` hides it" in refused.err
    done = mlmini.succeed("datasets", "delete", "iris", "--archive", "--json")
    assert (done.document, done.err) == ({"name": "iris", "done": "archived"}, "")
    assert "iris" not in mlmini.succeed("datasets", "list").out


def test_a_model_and_its_dataset_are_erased(mlmini: CommandLine, flowers: int) -> None:
    words = ["train", "wine", "--example", "--model", MODEL, "--json"]
    version = str(mlmini.succeed(*words).document["result"]["version"])
    refused = mlmini.run("datasets", "delete", "wine", "--erase")
    assert f"`mlmini models erase {version}`" in refused.err
    assert "active in: dev" in mlmini.run("models", "erase", version).err
    mlmini.succeed("retire", "wine", version, "dev")
    assert f"Version {version} is erased." in mlmini.succeed("models", "erase", version).out
    assert f"version {version} was erased on 20" in mlmini.run("models", "show", version).err
    done = mlmini.succeed("datasets", "delete", "wine", "--erase", "--yes", "--json")
    assert done.document == {"name": "wine", "done": "erased"}


def test_a_job_that_has_ended_is_run_again_as_a_new_one(mlmini: CommandLine, flowers: int) -> None:
    words = ["train", "flowers", "--target", "species", "--model", MODEL, "--json"]
    first = mlmini.succeed(*words).document
    key = ["--idempotency-key", "again", "--json"]
    again = mlmini.succeed("jobs", "retry", first["job_id"], *key).document
    assert (again["status"], again["request"]) == ("succeeded", first["request"])
    assert again["job_id"] != first["job_id"]
    same = mlmini.succeed("jobs", "retry", first["job_id"], *key, "--detach").document
    assert same["job_id"] == again["job_id"]


def test_logs_are_shown_and_followed_to_the_end(mlmini: CommandLine, flowers: int) -> None:
    words = ["train", "flowers", "--target", "species", "--model", MODEL, "--detach", "--json"]
    job_id = mlmini.succeed(*words).document["job_id"]
    followed = mlmini.succeed("jobs", "logs", job_id, "--follow")
    assert "Status: succeeded" in followed.err
    assert followed.out == mlmini.succeed("jobs", "logs", job_id).out
    assert "registered as version" in followed.out


def slow_job(mlmini: CommandLine) -> Any:
    return mlmini.succeed("train", "breast_cancer", "--example", "--model", *SLOW, "--detach", "--json").document


def test_a_cancelled_job_is_a_failure_of_who_waits(mlmini: CommandLine) -> None:
    job_id = slow_job(mlmini)["job_id"]
    mlmini.succeed("jobs", "cancel", job_id)
    ended = mlmini.run("jobs", "show", job_id, "--wait")
    assert ended.status == 1
    assert f"{job_id} ended as cancelled" in ended.err
    again = mlmini.run("jobs", "cancel", job_id)
    assert again.status == 1
    assert "has ended" in again.err


def test_ctrl_c_ends_the_waiting_and_not_the_job(mlmini: CommandLine, client: httpx2.Client) -> None:
    with mlmini.start("train", "breast_cancer", "--example", "--model", *SLOW) as process:
        assert process.stderr is not None
        assert process.stderr.readline()
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=30)
    assert process.returncode == 130
    job_id = client.get("/jobs").json()["items"][0]["job_id"]
    assert f"mlmini jobs show {job_id} --wait" in rest.decode()
    assert client.get(f"/jobs/{job_id}").json()["status"] in {"queued", "running"}
    mlmini.succeed("jobs", "cancel", job_id)


def test_a_training_whose_answer_is_lost_is_sent_again_with_the_same_key(
    mlmini: CommandLine, client: httpx2.Client, flowers: int
) -> None:
    assert mlmini.url
    before = len(client.get("/jobs?kind=train&limit=200").json()["items"])
    with proxy_to(int(mlmini.url.rpartition(":")[2])) as proxy:
        proxy.cut_at = b"202 Accepted"
        through = CommandLine(mlmini.folder, proxy.url)
        ended = through.succeed("train", "flowers", "--target", "species", "--model", MODEL)
        assert proxy.cuts == 1
    assert "The connection was lost; trying again" in ended.err
    assert len(client.get("/jobs?kind=train&limit=200").json()["items"]) == before + 1


def test_an_upload_whose_answer_is_lost_is_not_sent_again(mlmini: CommandLine, flowers: int) -> None:
    assert mlmini.url
    with proxy_to(int(mlmini.url.rpartition(":")[2])) as proxy:
        proxy.cut_at = b"HTTP/1.1 200"
        ended = CommandLine(mlmini.folder, proxy.url).run("datasets", "upload", "flowers.csv")
    assert ended.status == 3
    assert "broke" in ended.err


def test_a_refused_request_tells_every_problem_and_its_id(mlmini: CommandLine, flowers: int) -> None:
    words = ["train", "flowers", "--target", "species", "--model", MODEL, "--param", "C=-1", "--param", "D=1"]
    ended = mlmini.run(*words)
    assert (ended.status, ended.out) == (1, "")
    assert "'C' of linear_model.LogisticRegression must be" in ended.err
    assert "--param D: linear_model.LogisticRegression has no parameter 'D'" in ended.err
    assert "(request " in ended.err
    as_json = mlmini.run(*words, "--json")
    assert (as_json.status, as_json.document["status"]) == (1, 422)
    assert as_json.document["code"] == "invalid_parameter"


def test_the_platform_is_found_by_its_home(platform: Launcher, tmp_path: Path, flowers: int) -> None:
    ended = CommandLine(tmp_path).succeed("datasets", "list", MLMINI_HOME=str(platform.home))
    assert "flowers" in ended.out


def test_a_name_cannot_steer_the_terminal(mlmini: CommandLine) -> None:
    # As text that was read as Latin-1 may have it. Terminals take it for an escape and a bracket.
    (mlmini.folder / "odd.csv").write_text('"\x9b31mred [bold]",b\n1,2\n')
    status, shown = mlmini.at_terminal("datasets", "upload", "odd.csv")
    assert status == 0
    assert "\\x9b31mred [bold]" in ESCAPES.sub("", shown)


def test_a_reader_that_goes_away_is_not_an_error(mlmini: CommandLine, flowers: int) -> None:
    with mlmini.start("models", "show", str(flowers), "--json") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()
