"""`mlmini predict --batch`: a job predicts for a dataset, and its output comes as a file."""

import csv
import io
import json
from collections.abc import Iterator

import pyarrow.parquet
import pytest

from tests.support.command_line import CommandLine
from tests.support.launcher import Launcher, launched

ROWS = "id,a,b,y\n" + "".join(f"{at:03},{at / 4},{at % 5},{('no', 'yes')[at % 5 > 2]}\n" for at in range(60))
ODD = "id,a,b\n001,1.5,2\n002,many,3\n"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    with launched(tmp_path_factory.mktemp("platform") / "home", {"MLMINI_EXAMPLES": "0"}) as launcher:
        yield launcher


@pytest.fixture(scope="module")
def mlmini(platform: Launcher, tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """The command line beside a model that is active in dev, and a table with a row that it cannot take."""
    mlmini = CommandLine(tmp_path_factory.mktemp("folder"), platform.url("Readiness").removesuffix("/readyz"))
    for name, text in {"things": ROWS, "odd": ODD}.items():
        (mlmini.folder / f"{name}.csv").write_text(text)
        mlmini.succeed("datasets", "upload", f"{name}.csv")
    words = ("--target", "y", "--feature", "a", "--feature", "b", "--model", "tree.DecisionTreeClassifier")
    mlmini.succeed("train", "things", *words)
    return mlmini


def test_the_output_is_written_to_the_file(mlmini: CommandLine) -> None:
    words = ("predict", "things", "things", "--batch", "-e", "dev", "--keep", "id", "--proba", "--output", "out.csv")
    ended = mlmini.succeed(*words)
    assert ended.out == ""
    assert "60 rows predicted by version 1, written to out.csv." in ended.err
    rows = list(csv.DictReader(io.StringIO((mlmini.folder / "out.csv").read_text(), newline="")))
    assert [row["id"] for row in rows[:2]] == ["000", "001"]
    assert {row["prediction"] for row in rows} == {"no", "yes"}
    assert list(rows[0]) == ["row", "id", "prediction", "probability_no", "probability_yes", "error"]


def test_a_row_with_an_error_is_counted_and_parquet_is_a_file(mlmini: CommandLine) -> None:
    words = ("predict", "things", "odd", "--batch", "-e", "dev", "--format", "parquet", "--output", "out.parquet")
    ended = mlmini.succeed(*words, "--json")
    assert (ended.document["result"]["rows"], ended.document["result"]["errors"]) == (2, 1)
    assert pyarrow.parquet.read_table(mlmini.folder / "out.parquet").num_rows == 2
    out = mlmini.succeed("predict", "things", "odd", "--batch", "-e", "dev").out
    assert out.splitlines()[0] == "row,prediction,error"
    assert "'many' is not a number" in out


def test_a_terminal_is_not_steered_by_a_cell(mlmini: CommandLine) -> None:
    (mlmini.folder / "steering.csv").write_text("id,a,b\n\u202e,1.5,2\n")
    mlmini.succeed("datasets", "upload", "steering.csv")
    words = ("predict", "things", "steering", "--batch", "-e", "dev", "--keep", "id")
    status, shown = mlmini.at_terminal(*words)
    assert (status, "\u202e" in shown, "row,id,prediction,error" in shown) == (0, False, True)


def test_a_detached_job_is_told_with_its_id(mlmini: CommandLine) -> None:
    job = json.loads(mlmini.succeed("predict", "things", "odd", "--batch", "-e", "dev", "--detach", "--json").out)
    assert mlmini.succeed("jobs", "show", job["job_id"], "--wait", "--json").document["kind"] == "predict"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--keep", "id"), "--keep is for --batch only."),
        (("--detach",), "--detach is for --batch only."),
        (("--batch", "--column", "label"), "--column is not for --batch"),
        (("--batch", "-e", "dev", "--keep", "idd"), "--keep names the column 'idd'"),
        (("--batch", "-e", "dev", "--format", "xlsx"), "--format"),
        (("--batch", "-e", "staging"), "mlmini promote"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_no_file_is_touched(
    mlmini: CommandLine, words: tuple[str, ...], said: str
) -> None:
    kept = mlmini.folder / "kept.csv"
    kept.write_text("as it was")
    ended = mlmini.run("predict", "things", "things", *words, "--output", "kept.csv")
    assert ended.status != 0
    assert said in ended.err
    assert kept.read_text() == "as it was"
