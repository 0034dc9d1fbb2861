"""Sentences of the API name fields of requests; at the command line they name options."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from api.app import create_app
from cli.app import app
from cli.client.errors import written
from cli.client.fields import option_at
from cli.client.hints import in_verbs
from shared.settings import Settings
from tests.unit.test_hints_in_verbs import sentences

ROOT = Path(__file__).parents[2]

SENTENCES = {
    'With "replace_target": true the promotion retires it.': "With --replace-target the promotion retires it.",
    'Send "replace_target": true to allow that.': "Give --replace-target to allow that.",
    'say so with `"replace_target": true`': "say so with --replace-target",
    "allow more with `limits.seconds` or": "allow more with --time-limit or",
    "Field 'limits.seconds': it must be above 0.": "--time-limit: it must be above 0.",
    "Field 'tags.0': it must be one word.": "--tag: it must be one word.",
    "Field 'model.params.C': it must be above 0.": "--param C: it must be above 0.",
    "Field 'input_data': it is required.": "Field 'input_data': it is required.",
    "Query parameter 'status': it must be 'failed'.": "--status: it must be 'failed'.",
    "The body is JSON, not CSV. Save it as CSV, or send its rows as JSON in 'input_data'.": (
        "The file is JSON, not CSV. Save it as CSV."
    ),
    "Leave 'probability' out of 'return'.": "Leave --proba out.",
    "Leave 'interval' out to get the predictions alone.": "Leave --interval out to get the predictions alone.",
    "Remove it, or name the new column with 'column'.": "Remove it, or name the new column with --column.",
    "Name the one that you mean as 'target'.": "Name the one that you mean with --target.",
    "Target column 'features' is not there. Did you mean 'target'?": (
        "Target column 'features' is not there. Did you mean 'target'?"
    ),
    "Version 1 predicts 'target'.": "Version 1 predicts 'target'.",
    "'versions' must be 2, such as 'versions=1,2'.": "VERSION... must be 2, such as `mlmini models compare 1 2`.",
    "It is wrong. (7 problems in all; `errors` lists them.)": "It is wrong. (7 problems in all.)",
    "Hide it with 'archive' or erase it with 'erase'.": "Hide it with --archive or erase it with --erase.",
    "The Idempotency-Key 'k' was used": "The option --idempotency-key 'k' was used",
    "Name models of one task in 'models'.": "Name models of one task with --model.",
    "Model 3 of 'models' is the same as model 1.": "Model 3 of --model is the same as model 1.",
    "name it in 'features' to use it": "name it with --feature to use it",
    "Give another name in the field 'name'.": "Give another name with --name.",
    "Send 'kinds' or 'names', or send 'gap_words'; [] keeps all of them.": (
        "Give --kind or --names, or give --gap-word; --no-gap-words keeps all of them."
    ),
}


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_field_becomes_its_option(sentence: str) -> None:
    assert in_verbs(sentence) == SENTENCES[sentence]


@pytest.mark.parametrize(
    ("loc", "shown"),
    [
        (["body", "limits", "memory_mb"], "--memory-limit"),
        (["body", "limits", "cpus"], "--cpus"),
        (["body", "pool"], "--pool"),
        (["body", "model", "params", "C"], "--param C"),
        (["body", "features", 3], "--feature"),
        (["body", "models", 1, "params", "C"], "--model"),
        (["query", "limit"], "--limit"),
        (["header", "Idempotency-Key"], "--idempotency-key"),
        (["body", "input_data", 0], "body.input_data.0"),
        (["file", 2], "file.2"),
    ],
)
def test_a_place_in_a_request_becomes_its_option(loc: list[str | int], shown: str) -> None:
    assert option_at(loc) == shown


# What no option stands for, and why nobody at a command line can meet it.
WITHOUT_OPTION = {
    "class": "models inside of models are JSON at the command line, too",
    "drop": "stands within the JSON of --preprocessing",
    "estimator": "models inside of models are JSON at the command line, too",
    "file": "a verb sends the file as it must be sent",
    "module": "models inside of models are JSON at the command line, too",
    "params": "models inside of models are JSON at the command line, too",
    "records": "rows that only programs send",
    "wait": "a verb chooses how long one call waits",
}
# What is quoted behind these words is a value: a column, an example of a name.
VALUE = re.compile(r"(olumn|predicts|mean|instance|not|kind) $")


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """All that a request may hold: fields of bodies and parameters."""
    document = create_app(Settings(home=tmp_path_factory.mktemp("home"))).openapi()
    return {*names_in(document["paths"]), *names_in(document["components"]["schemas"], requests=True)}


def names_in(node: Any, *, requests: bool = False) -> Iterator[str]:
    if isinstance(node, list):
        for each in node:
            yield from names_in(each)
    elif isinstance(node, dict):
        if node.get("in") in {"query", "path"}:
            yield node["name"]
        for name, each in node.items():
            if requests and not re.search("Request|Change|Choice|InputData", name):
                continue
            if name == "properties":
                yield from each
            yield from names_in(each)


def left_over(sentence: str, names: set[str]) -> set[str]:
    """The names of fields in quotes that are left in a sentence once it is told at the command line."""
    told = in_verbs(sentence)
    found = re.finditer(r"(['`\"])([A-Za-z_.]+?)(?:\1|=|\": )", told)
    quoted = {each[2] for each in found if not VALUE.search(told[: each.start()])}
    return {name for name in quoted if name.rpartition(".")[2] in names}


def recorded() -> Iterator[str]:
    """What the API said of each wrong turn, as the command line has it."""
    for answers in json.loads((ROOT / "api/docs/problems.json").read_text()).values():
        for each in answers.values():
            yield from written({**each["value"], "request_id": None}).splitlines()


def test_every_field_in_a_sentence_has_an_option_or_is_listed(names: set[str]) -> None:
    assert {"target_column", "replace_target", "status", "tags", "seconds"} <= names
    written_here = {text for path in (ROOT / "shared").rglob("*.py") for text in sentences(path) if " " in text}
    assert len(written_here) > 500
    left = {line: left_over(line, names) for line in [*recorded(), *written_here]}
    assert {line: found for line, found in left.items() if found - WITHOUT_OPTION.keys()} == {}
    assert set().union(*left.values()) == WITHOUT_OPTION.keys()


def test_every_option_that_stands_for_a_field_is_there() -> None:
    there = {name for verb in verbs(typer.main.get_command(app)) for each in verb.params for name in each.opts}
    told = {word for sentence in SENTENCES for word in re.findall(r"--[a-z-]+", in_verbs(sentence))}
    table = {option_at([source, name]) for source, name in fields()}
    assert {word for word in told | table if word.startswith("--")} <= there


def fields() -> Iterator[tuple[str, str]]:
    text = (ROOT / "cli/client/fields.py").read_text()
    for source, name in (("body", "_BODY"), ("query", "_QUERY")):
        table = text.partition(f"\n{name} = {{")[2].partition("}")[0]
        yield from ((source, field) for field in re.findall(r'"([\w.]+)":', table))


def verbs(group: Any) -> Iterator[Any]:
    for verb in getattr(group, "commands", {}).values():
        yield verb
        yield from verbs(verb)
