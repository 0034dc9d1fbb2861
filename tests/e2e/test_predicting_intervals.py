"""`mlmini predict --interval`: the columns that the API adds, and what is said of a model that promises nothing."""

import csv
import io
import json
from collections.abc import Iterator

import pytest

from tests.support.api_server import serving
from tests.support.command_line import CommandLine
from tests.support.models import IRIS_COLUMNS, Platform, doubling, iris_forest, with_promise
from tests.support.stack import Stack

pytestmark = pytest.mark.any_stack

TABLE = ",".join(IRIS_COLUMNS) + "\n5.1,3.5,1.4,0.2\n5.9,3.0,4.8,1.7\n"


@pytest.fixture(scope="module")
def mlmini(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """The command line beside models that promise something, and one of an older release."""
    folder = tmp_path_factory.mktemp("folder")
    with stack.settings(tmp_path_factory.mktemp("home")) as settings, serving(settings) as (url, parts):
        platform = Platform(parts.database, parts.store, parts.settings, parts.key, folder)
        platform.train(platform.dataset(), with_promise(iris_forest(), 0.0).in_form())
        platform.train(platform.dataset("doubling"), with_promise(doubling(), 0.5).in_form(), name="doubling")
        platform.train(platform.dataset("older"), iris_forest().in_form(), name="older")
        (folder / "iris.csv").write_text(TABLE)
        (folder / "numbers.csv").write_text("x\n1.5\n")
        yield CommandLine(folder, url)


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_numbers_get_both_ends(mlmini: CommandLine) -> None:
    (row,) = read(mlmini.succeed("predict", "doubling", "numbers.csv", "-e", "dev", "--interval").out)
    assert [float(row[f"interval_{end}"]) for end in ("low", "high")] == pytest.approx([2.5, 3.5])


def test_labels_get_a_list_beside_their_probabilities(mlmini: CommandLine) -> None:
    rows = read(mlmini.succeed("predict", "iris", "iris.csv", "-e", "dev", "--interval", "--proba").out)
    classes = iris_forest().signature.classes or []
    assert list(rows[0])[4:] == ["prediction", *(f"probability_{each}" for each in classes), "interval"]
    assert [json.loads(row["interval"]) for row in rows] == [classes, classes]
    answer = mlmini.succeed("predict", "iris", "iris.csv", "-e", "dev", "--interval", "--json").document
    assert answer["intervals"] == [classes, classes]
    assert "probabilities" not in answer


@pytest.mark.parametrize("more", [(), ("--batch",)])
def test_a_model_that_promises_nothing_is_told_with_the_option(mlmini: CommandLine, more: tuple[str, ...]) -> None:
    mlmini.run("datasets", "upload", "iris.csv", "--name", "rows")
    ended = mlmini.run("predict", "older", "rows" if more else "iris.csv", "-e", "dev", "--interval", *more)
    assert ended.status != 0
    assert "Leave --interval out" in " ".join(ended.err.split())
