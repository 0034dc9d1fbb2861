"""What came of a run, for people."""

from collections import Counter
from collections.abc import Iterable

from tests.support.mutants.judged import entry
from tests.support.mutants.making import Mutant
from tests.support.mutants.trial import Outcome, Trial

Tried = list[tuple[str, Mutant, Trial]]


def table(paths: Iterable[str], tried: Tried, left_out: Counter[str]) -> str:
    """How many mutants of each path were made and what became of them."""
    heads = ("made", *Outcome, "judged equivalent")
    rows = [("", *heads)]
    for path in paths:
        became = Counter(trial.outcome for of, _, trial in tried if of == path)
        rows.append((path, str(became.total()), *(str(became[each]) for each in Outcome), str(left_out[path])))
    sums = [str(sum(int(row[column]) for row in rows[1:])) for column in range(1, len(heads) + 1)]
    rows.append(("total", *sums))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join([name.ljust(widths[0]), *map(str.rjust, cells, widths[1:])]) for name, *cells in rows)


def survivors(tried: Tried) -> str:
    """Each mutant that no test noticed, with what to add to the list when it is equivalent."""
    return "\n\n".join(
        f"{mutant.path}:{mutant.line} {trial.outcome}, tests met: {trial.tests}\n{mutant.diff()}\n\n{entry(mutant)}"
        for _, mutant, trial in tried
        if trial.outcome in {Outcome.SURVIVED, Outcome.UNREACHED}
    )
