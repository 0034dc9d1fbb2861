"""Help is there at once: what a verb needs is imported when it runs."""

import json
import subprocess
import sys

import pytest

HEAVY = {
    *("alembic", "boto3", "celery", "fastapi", "httpx2", "joblib", "numpy", "pandas", "pyarrow", "pydantic"),
    *("pydantic_settings", "redis", "rich", "sklearn", "sqlalchemy", "structlog", "uvicorn"),
}
# Each verb is asked for its help in a process of its own, which is forked from one that has imported the command line.
PROGRAM = """
import json, os, sys
from cli.app import main
for verb in json.loads(sys.argv[1]):
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.dup2(writing, 1)
        sys.argv[1:] = [*verb.split(), "--help"]
        try:
            main()
        finally:
            print(*sys.modules)
            sys.stdout.flush()
            os._exit(0)
    os.close(writing)
    with open(reading) as shown:
        *help, modules = shown.read().splitlines()
    os.wait()
    print(json.dumps([help, modules]), flush=True)
"""
VERBS = [
    "",
    *("up", "demo", "doctor", "fsck", "rehearse", "serve", "train", "promote", "retire", "predict", "estimators"),
    *("datasets", "datasets upload", "datasets list", "datasets show"),
    *("datasets preview", "datasets versions", "datasets diff", "datasets give", "datasets delete"),
    *("jobs", "jobs list", "jobs show", "jobs cancel", "jobs retry", "jobs logs"),
    *("admin", "admin create", "admin key", "audit", "audit verify", "login", "logout", "me"),
    *("keys", "keys list", "keys rotate", "keys retire"),
    *("users", "users list", "users teams"),
    *("models", "models list", "models show", "models compare", "models annotate", "models export", "models erase"),
]


Shown = dict[str, tuple[list[str], set[str]]]


@pytest.fixture(scope="module")
def shown() -> Shown:
    """The help of each verb, and the modules that are imported after it."""
    command = [sys.executable, "-c", PROGRAM, json.dumps(VERBS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answers = map(json.loads, done.stdout.splitlines())
    return {verb: (lines, set(modules.split())) for verb, (lines, modules) in zip(VERBS, answers, strict=True)}


@pytest.mark.parametrize("verb", VERBS)
def test_help_imports_nothing_heavy(shown: Shown, verb: str) -> None:
    lines, modules = shown[verb]
    assert lines[0].startswith(f"Usage: mlmini {verb}".strip())
    assert "cli.app" in modules
    assert HEAVY.isdisjoint(modules)
    assert max(map(len, lines)) <= 80


def test_the_menu_lists_every_verb_with_a_whole_sentence(shown: Shown) -> None:
    menu = "\n".join(shown[""][0])
    for verb in VERBS[1:]:
        assert f"\n  {verb.split()[0]} " in menu
    assert "..." not in menu.replace("[ARGS]...", "")
