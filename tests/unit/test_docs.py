"""The documents: every link leads somewhere, every page can be found, and every command is somebody's to run."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.support.documented import (
    DOCUMENTS,
    LANGUAGES,
    PAGES,
    ROOT,
    RUNNERS,
    Block,
    anchors,
    blocks,
    commands_for,
    links,
    name_of,
    undefined_references,
)

by_name = pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)


def place(block: Block) -> str:
    return block.place


@by_name
def test_every_relative_link_and_anchor_leads_somewhere(document: Path) -> None:
    assert broken_links(document) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_readme_links_every_page(page: Path) -> None:
    targets = {target.partition("#")[0] for target in links(ROOT / "README.md")}
    assert str(page.relative_to(ROOT)) in targets


@by_name
def test_every_fence_says_what_it_holds_and_who_runs_it(document: Path) -> None:
    found = blocks(document)
    assert [block.place for block in found if block.language not in LANGUAGES] == []
    assert [block.place for block in found if block.runner and block.language != "sh"] == []
    assert [block.place for block in found if block.language == "sh" and block.runner not in RUNNERS] == []


@pytest.mark.parametrize("block", commands_for("make"), ids=place)
def test_make_knows_every_documented_target(block: Block) -> None:
    for command in block.commands:
        words = shlex.split(command)
        assert words[0] == "make", f"{block.place}: {command}"
        done = subprocess.run([*words, "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{block.place}: {done.stderr}"


def test_make_help_lists_every_target() -> None:
    phony = re.findall(r"^\.PHONY:(.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    command = ["make", "--no-print-directory", "help"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert sorted(line.split()[1] for line in shown.splitlines()) == sorted(" ".join(phony).split())


@pytest.mark.parametrize("block", commands_for("ci"), ids=place)
def test_the_ci_script_has_every_line_that_is_said_to_be_in_it(block: Block) -> None:
    script = [shlex.split(line, comments=True) for line in (ROOT / ".ci" / "run").read_text().splitlines()]
    lines = [" ".join(words).replace("$bin/", ".venv/bin/") for words in script]
    assert [command for command in block.commands if command not in lines] == []


def test_every_log_event_of_the_operations_page_is_one_of_the_code() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    (sentences,) = re.findall(r"^Log lines carry .*?^`janitor_done` .*?\n\n", page, re.MULTILINE | re.DOTALL)
    told = {*re.findall(r"`(\w+_\w+)`", sentences), *re.findall(r"\(`(start_\w+)`\)", page)} - {"request_id", "job_id"}
    source = "".join(
        path.read_text() for package in ("api", "worker", "shared") for path in (ROOT / package).rglob("*.py")
    )
    logged = set(re.findall(r"\blog\.\w+\(\s*\"(\w+)\"", source))
    assert len(told) > 5
    assert told <= logged


def test_a_broken_link_or_anchor_is_found(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text(
        "# One & `two`\n## Twice\n## Twice\n"
        "[a](page.md) [b](#one--two) [c](#twice-1) <img src='page.md'> `[no](link)`\n"
        "```text\n[not](a-link)\n# Not a heading\n```\n"
        '[d](#three) [e](gone.md) <img src="gone.png"> [f](page.md#not-a-heading) [g](https://example.org)\n'
        "[h][label] [i][none]\n\n[label]: lost.md\n"
    )
    assert broken_links(document) == ["none", "#three", "gone.md", "gone.png", "page.md#not-a-heading", "lost.md"]


def test_a_fence_that_nothing_closes_is_found(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("text\n```sh\ntrue\n")
    with pytest.raises(ValueError, match="nothing closes this fence"):
        blocks(tmp_path / "page.md")


def test_blocks_are_read_with_their_runner_and_without_their_indentation(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("- item\n\n  ```sh make\n  make run   # starts it\n\n  # only a remark\n  ```\n")
    (block,) = blocks(tmp_path / "page.md")
    assert (block.line, block.language, block.runner, block.commands) == (3, "sh", "make", ["make run"])


def broken_links(document: Path) -> list[str]:
    """The relative links of a document that lead nowhere, as they are written."""
    broken = undefined_references(document)
    for target in links(document):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        found = document.parent / path if path else document
        if not found.exists() or (anchor and anchor not in anchors(found)):
            broken.append(target)
    return broken
