"""Which tests a mutant meets: those that reach its line, the quickest first, until they would take too long.

Most mutants die at the first few tests. The others meet as many as there is time for.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.support.mutants.making import Mutant
from tests.support.mutants.reach import Reach

# What the tests of each round may have taken without the mutant.
_FIRST_SECONDS = 10.0
_MORE_SECONDS = 30.0
_FAR_SECONDS = 30.0
# What the first test that needs a server waits for: it is in the time of another test, or of none.
_SERVER_SECONDS = {"postgresql": 6.0, "s3": 6.0}


@dataclass(frozen=True)
class Chosen:
    """Arguments for pytest, and what they took without a mutant."""

    tests: list[str]
    seconds: float


class Choice:
    """Chooses among the tests of all files."""

    def __init__(self, root: Path, reached: Iterable[Reach]) -> None:
        self._root = root
        self._reached = list(reached)
        self._seconds = {test: seconds for each in self._reached for test, seconds in each.seconds.items()}
        self._tests: dict[tuple[str, int], list[str]] = defaultdict(list)
        for each in self._reached:
            for path, lines in each.lines.items():
                for line, tests in lines.items():
                    self._tests[path, line] += tests

    def rounds(self, mutant: Mutant) -> list[Chosen]:
        """Tests in whose own process the mutant runs, more of them, and files that start processes which run it."""
        near = self._in_order(self._near(mutant))
        first = _within(_FIRST_SECONDS, near)
        more = _within(_MORE_SECONDS, [(test, seconds) for test, seconds in near if test not in first.tests])
        return [chosen for chosen in (first, more, _within(_FAR_SECONDS, self._far(mutant))) if chosen.tests]

    def _near(self, mutant: Mutant) -> set[str]:
        """Of what runs at import, the tests of the lines that use its name."""
        lines = {(mutant.path, line) for line in mutant.place.lines}
        if mutant.place.runs_at_import:
            lines = self._uses(mutant.place.name) or {place for place in self._tests if place[0] == mutant.path}
        return {test for line in lines for test in self._tests.get(line, [])}

    def _far(self, mutant: Mutant) -> list[tuple[str, float]]:
        lines = set(mutant.place.lines)
        files = [each for each in self._reached if each.seconds and lines & set(each.elsewhere.get(mutant.path, []))]
        costs = sorted((sum(each.seconds.values()), each.file) for each in files)
        return [(file, seconds) for seconds, file in costs]

    def _uses(self, name: str | None) -> set[tuple[str, int]]:
        """The lines of the product that a test reaches and in which a name stands."""
        if name is None:
            return set()
        word = re.compile(rf"\b{re.escape(name)}\b")
        paths = {path for path, _ in self._tests}
        lines = {path: (self._root / path).read_text().splitlines() for path in paths}
        return {(path, line) for path, line in self._tests if word.search(lines[path][line - 1])}

    def _in_order(self, tests: set[str]) -> list[tuple[str, float]]:
        """The quickest of each function, for what differs in parameters alone is much the same; then the others."""
        functions: set[str] = set()
        order = []
        for cost, test in sorted((self._cost(test), test) for test in tests):
            function = test.partition("[")[0]
            order.append((function in functions, cost, test))
            functions.add(function)
        return [(test, cost) for _, cost, test in sorted(order)]

    def _cost(self, test: str) -> float:
        return self._seconds[test] + sum(more for server, more in _SERVER_SECONDS.items() if server in test)


def _within(limit: float, costs: list[tuple[str, float]]) -> Chosen:
    """As many as the limit allows, and one in any case."""
    tests: list[str] = []
    total = 0.0
    for test, seconds in costs:
        if tests and total + seconds > limit:
            continue
        tests.append(test)
        total += seconds
    return Chosen(tests, total)
