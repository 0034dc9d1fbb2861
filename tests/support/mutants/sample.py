"""Draws mutants at random, as many from each path, and from many lines rather than from few."""

import random
from collections import Counter
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from pathlib import Path

from tests.support.mutants.judged import Judged
from tests.support.mutants.making import Mutant, files_below, mutants_of


@dataclass
class Sample:
    """What is to be tried, in an order that takes turns between the paths, and how many were left out as judged."""

    mutants: list[tuple[str, Mutant]] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


def draw(root: Path, paths: list[str], *, count: int, seed: int, known: dict[tuple[str, str, str], Judged]) -> Sample:
    """The same for the same sources, paths, count and seed."""
    sample = Sample()
    drawn = []
    for path in paths:
        texts = {file: (root / file).read_text() for file in files_below(root, [path])}
        mutants = [mutant for file, text in texts.items() for mutant in mutants_of(file, text)]
        random.Random(f"{seed} {path}").shuffle(mutants)  # noqa: S311 (a sample, not a secret)
        wanted: list[tuple[str, Mutant]] = []
        for mutant in _many_lines_first(mutants):
            if len(wanted) * len(paths) >= count:
                break
            if not mutant.is_other_program():
                continue
            if mutant.name in known:
                sample.left_out[path] += 1
            else:
                wanted.append((path, mutant))
        drawn.append(wanted)
    sample.mutants = [each for each in chain.from_iterable(zip_longest(*drawn)) if each is not None][:count]
    return sample


def _many_lines_first(mutants: list[Mutant]) -> list[Mutant]:
    taken: Counter[tuple[str, int]] = Counter()
    turns = []
    for number, mutant in enumerate(mutants):
        turns.append((taken[mutant.path, mutant.line], number))
        taken[mutant.path, mutant.line] += 1
    return [mutants[number] for _, number in sorted(turns)]
