"""A source file, and changes of it by place. What is not changed stays as it is written."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

# The nodes of a syntax tree that know where they are.
Placed = ast.expr | ast.stmt | ast.keyword


@dataclass(frozen=True)
class Edit:
    """Bytes `start` to `end` of a file become `text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Source:
    """The text of a file; places are counted in bytes, as the syntax tree does."""

    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed file."""
        return ast.parse(self.text)

    @cached_property
    def meaning(self) -> str:
        """What Python reads, whatever the spaces and brackets."""
        return ast.dump(self.tree)

    @cached_property
    def _bytes(self) -> bytes:
        return self.text.encode()

    @cached_property
    def _lines(self) -> list[int]:
        return [0, *accumulate(len(line) for line in self._bytes.splitlines(keepends=True))]

    def start(self, node: Placed) -> int:
        """The first byte of a node."""
        return self._lines[node.lineno - 1] + node.col_offset

    def end(self, node: Placed) -> int:
        """The byte behind a node."""
        return self._lines[(node.end_lineno or 1) - 1] + (node.end_col_offset or 0)

    def line(self, place: int) -> int:
        """The number of the line in which a byte is."""
        return self._bytes.count(b"\n", 0, place) + 1

    def put(self, node: Placed, text: str) -> Edit:
        """Other text in the place of a node."""
        return Edit(self.start(node), self.end(node), text)

    def cut(self, start: int, end: int) -> Edit:
        """Nothing in a place."""
        return Edit(start, end, "")

    def without(self, nodes: Sequence[Placed], number: int) -> Edit:
        """One node of a list less, with the separator before or behind it."""
        if number + 1 < len(nodes):
            return self.cut(self.start(nodes[number]), self.start(nodes[number + 1]))
        return self.cut(self.end(nodes[number - 1]) if number else self.start(nodes[0]), self.end(nodes[number]))

    def between(self, left: Placed, right: Placed, before: str, after: str) -> Iterator[Edit]:
        """Another operator between two nodes."""
        start, end = self.end(left), self.start(right)
        found = self._bytes[start:end].find(before.encode())
        if found >= 0:
            yield Edit(start + found, start + found + len(before), after)

    def changed(self, edit: Edit) -> str:
        """The text with a change made."""
        return (self._bytes[: edit.start] + edit.text.encode() + self._bytes[edit.end :]).decode()
