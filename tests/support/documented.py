"""The documents of the project: their headings, their links, and the commands in their fenced blocks.

A block of commands is fenced as `sh`. It is run against a running platform unless a second word says who else sees to
it: see `RUNNERS`.
"""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").glob("*.md"))
_FOLDERS = sorted(path for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith("."))
DOCUMENTS = [
    *(ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "CHANGELOG")),
    *(path for folder in _FOLDERS for path in sorted(folder.rglob("*.md"))),
]

# Commands hide in no other language.
LANGUAGES = {"sh", "mermaid", "json", "text", "python", "toml", "sql"}
# The second word of a fence, and the tests that see to its commands.
RUNNERS = {
    "": "tests/e2e/test_documented_commands.py runs them one after the other against a real platform",
    "make": "tests/unit/test_docs.py asks make for each target; other tests run what the targets run",
    "checkout": "tests/e2e/test_documented_commands.py runs them in the root of the checkout",
    "ci": "tests/unit/test_docs.py finds each line in .ci/run",
    "bench": "tests/e2e/test_documented_commands.py asks each program for its help: a whole run takes minutes",
    "buckets": "tests/e2e/test_operations.py and test_container_backup.py run it before those that need the program",
    "postgresql": "tests/e2e/test_operations.py runs them on a platform with PostgreSQL and S3",
    "postgresql-restore": "the same, with the settings of an empty one",
    "compose-secrets": "tests/unit/test_container_secrets.py runs them, and looks at the files that they make",
    "containers": "tests/e2e/test_containers.py runs them where there is a container engine",
    "containers-backup": "tests/e2e/test_container_backup.py runs them there, beside a platform that works",
    "containers-restore": "the same, for a project of its own",
}

_FENCE = re.compile(r"^(?P<indent> *)(?P<fence>`{3,}|~{3,}) *(?P<info>[^`]*)$")
_HEADING = re.compile(r"^#{1,6} +(.+?) *#*$")
# A link or an image, a definition of one, or HTML; what is in code is no link.
_LINK = re.compile(
    r"\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)|^\[[^\]]+\]: +(\S+)|\b(?:src|href|srcset)=[\"']([^\"']+)[\"']", re.MULTILINE
)
_CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")


@dataclass(frozen=True)
class Block:
    """What one fence holds."""

    document: Path
    line: int
    language: str
    runner: str
    text: str

    @property
    def place(self) -> str:
        """Where it begins, for people."""
        return f"{name_of(self.document)}:{self.line}"

    @property
    def commands(self) -> list[str]:
        """Its lines without comments, for blocks of one command per line."""
        lines = (re.sub(r"(^| +)#.*", "", line).strip() for line in self.text.splitlines())
        return [line for line in lines if line]


def name_of(document: Path) -> str:
    """Its path in the project."""
    return str(document.relative_to(ROOT))


def blocks(document: Path) -> list[Block]:
    """The fenced blocks of a document, in their order.

    Raises:
        ValueError: for a fence that nothing closes.
    """
    found: list[Block] = []
    opened: re.Match[str] | None = None
    began, body = 0, [""]
    for number, line in enumerate(document.read_text().splitlines(), start=1):
        fence = _FENCE.match(line)
        if opened is None and fence:
            opened, began, body = fence, number, []
        elif opened is not None and line.strip() == opened["fence"]:
            language, _, runner = opened["info"].strip().partition(" ")
            found.append(Block(document, began, language, runner.strip(), "\n".join(body) + "\n"))
            opened = None
        elif opened is not None:
            body.append(line.removeprefix(opened["indent"]))
    if opened is not None:
        raise ValueError(f"{document.name}:{began}: nothing closes this fence")
    return found


def commands_for(runner: str, *documents: Path) -> list[Block]:
    """The blocks of commands that one runner sees to; of all documents unless some are given."""
    found = [block for document in documents or DOCUMENTS for block in blocks(document)]
    return [block for block in found if block.language == "sh" and block.runner == runner]


def prose(document: Path) -> list[str]:
    """The lines outside of fences."""
    lines = document.read_text().splitlines()
    for block in blocks(document):
        # The fences themselves are no prose either.
        for number in range(block.line - 1, block.line + len(block.text.splitlines()) + 1):
            lines[number] = ""
    return lines


def anchors(document: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a document."""
    found: dict[str, int] = {}
    for line in prose(document):
        if heading := _HEADING.match(line):
            words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[1]).lower()
            slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
            found[slug] = found.get(slug, -1) + 1
    return {slug if not number else f"{slug}-{number}" for slug, last in found.items() for number in range(last + 1)}


def links(document: Path) -> list[str]:
    """The targets of all links and images of a document, as they are written."""
    return ["".join(found) for found in _LINK.findall(_without_code(document))]


def undefined_references(document: Path) -> list[str]:
    """The labels of links such as `[text][label]` that the document does not define."""
    text = _without_code(document)
    defined = {label.lower() for label in re.findall(r"^\[([^\]]+)\]: ", text, re.MULTILINE)}
    return [label for label in re.findall(r"\]\[([^\]]+)\]", text) if label.lower() not in defined]


def _without_code(document: Path) -> str:
    return "\n".join(_CODE.sub("", line) for line in prose(document))
