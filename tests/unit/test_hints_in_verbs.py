"""Hints of the API name calls of HTTP; at the command line they name verbs."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from cli.app import app
from cli.client.errors import written
from cli.client.hints import in_verbs

ROOT = Path(__file__).parents[2]
CALL = re.compile(r"\b(GET|POST|PUT|PATCH|DELETE) /")

HINTS = {
    "There is no job 'x'. GET /jobs lists the jobs.": "There is no job 'x'. `mlmini jobs list` lists the jobs.",
    "Cancel it with POST /jobs/7-a/cancel.": "Cancel it with `mlmini jobs cancel 7-a`.",
    "Wait with `GET /jobs/{id}?wait=60`.": "Wait with `mlmini jobs show {id} --wait`.",
    "`POST /jobs/7-a/retry` runs it.": "`mlmini jobs retry 7-a` runs it.",
    "GET /models?dataset_name=iris&stage=dev lists them": "`mlmini models list --dataset iris --stage dev` lists them",
    "Retire it with POST /models/3/retire, then DELETE /models/3.": "Retire it with `mlmini retire`, then "
    "`mlmini models erase 3`.",
    "DELETE /datasets/a?archive=true hides it": "`mlmini datasets delete a --archive` hides it",
    "GET /jobs?status=failed; GET /errors": "GET /jobs?status=failed; GET /errors",
}


@pytest.mark.parametrize("hint", HINTS)
def test_a_call_becomes_its_verb_where_there_is_one(hint: str) -> None:
    assert in_verbs(hint) == HINTS[hint]


def test_a_problem_is_told_with_verbs() -> None:
    errors = [{"loc": ["body", n], "msg": "GET /models has it."} for n in (1, 2)]
    lines = written({"detail": "None. GET /jobs lists them.", "errors": errors}).splitlines()
    assert lines[0] == "None. `mlmini jobs list` lists them."
    assert lines[1:] == [f"  body.{n}: `mlmini models list` has it." for n in (1, 2)]


def sentences(path: Path) -> Iterator[str]:
    """The texts of a file with an x for each value in them, without its docstrings."""
    waiting: list[ast.AST] = [ast.parse(path.read_text())]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            waiting += ast.iter_child_nodes(node)


def test_every_call_in_a_sentence_of_the_platform_has_a_verb_that_is_there() -> None:
    hints = {
        text: path.name for path in (ROOT / "shared").rglob("*.py") for text in sentences(path) if CALL.search(text)
    }
    assert len(hints) > 5
    assert {text: name for text, name in hints.items() if CALL.search(in_verbs(text))} == {}
    for text in hints:
        for command in re.findall(r"`mlmini ([^`]+)`", in_verbs(text)):
            assert_there(command.split())


def assert_there(words: list[str]) -> None:
    """A verb of that name that has the options."""
    verb = typer.main.get_command(app)
    while isinstance(verb, typer.core.TyperGroup):
        verb = verb.commands[words.pop(0)]
    assert {word for word in words if word.startswith("--")} <= {name for each in verb.params for name in each.opts}
