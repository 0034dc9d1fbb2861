"""Help is there at once: what a verb needs is imported when it runs."""

import subprocess
import sys

import pytest

HEAVY = {
    *("alembic", "boto3", "celery", "fastapi", "httpx2", "joblib", "numpy", "pandas", "pyarrow", "pydantic"),
    *("pydantic_settings", "redis", "rich", "sklearn", "sqlalchemy", "structlog", "uvicorn"),
}
PROGRAM = """
import sys
from cli.app import main
sys.argv[1:] = {words!r}
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""
VERBS = [
    "",
    *("up", "demo", "doctor", "fsck", "train", "promote", "retire", "predict"),
    *("datasets", "datasets upload", "datasets list", "datasets show"),
    *("jobs", "jobs list", "jobs show", "jobs cancel", "jobs logs"),
    *("models", "models list", "models show", "models compare"),
]


@pytest.mark.parametrize("verb", VERBS)
def test_help_imports_nothing_heavy(verb: str) -> None:
    program = PROGRAM.format(words=[*verb.split(), "--help"])
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert f"Usage: mlmini {verb}".strip() in done.stdout
    assert HEAVY.isdisjoint(done.stderr.split())
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_the_menu_lists_every_verb_with_a_whole_sentence() -> None:
    done = subprocess.run([sys.executable, "-m", "cli", "--help"], capture_output=True, text=True, check=True)
    for verb in VERBS[1:]:
        assert f"\n  {verb.split()[0]} " in done.stdout
    assert "..." not in done.stdout.replace("[ARGS]...", "")
