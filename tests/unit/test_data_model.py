"""docs/data-model.md against the tables of the code."""

import re
from itertools import pairwise

import pytest
from sqlalchemy import Column, Table, UniqueConstraint

from shared.schema import metadata
from tests.support.documented import ROOT

TEXT = (ROOT / "docs" / "data-model.md").read_text()
HEADINGS = list(re.finditer(r"^## `(\w+)`$", TEXT, re.MULTILINE))
ENDS = [*(heading.start() for heading in HEADINGS[1:]), len(TEXT)]
SECTIONS = {heading[1]: TEXT[heading.end() : end] for heading, end in zip(HEADINGS, ENDS, strict=True)}
ROW = re.compile(r"^\| `(\w+)` \| (.*?) ?\| (.+) \|$", re.MULTILINE)
EDGE = re.compile(r'^    (\w+) (?:\|\||\|o)--o[{|] (\w+) : "(\w+)"$', re.MULTILINE)

by_table = pytest.mark.parametrize("table", metadata.tables.values(), ids=lambda table: table.name)


def test_the_page_has_every_table_once() -> None:
    assert sorted(SECTIONS) == sorted(metadata.tables)
    assert len(HEADINGS) == len(SECTIONS)
    assert all(before.start() < after.start() for before, after in pairwise(HEADINGS))


@by_table
def test_a_section_has_the_columns_of_its_table_in_their_order(table: Table) -> None:
    assert [name for name, _, meaning in ROW.findall(SECTIONS[table.name]) if meaning] == list(table.columns.keys())


@by_table
def test_a_section_tells_the_keys_of_its_table(table: Table) -> None:
    told = {name: key for name, key, _ in ROW.findall(SECTIONS[table.name])}
    assert told == {column.name: key_of(column) for column in table.columns}


def test_the_drawing_has_every_reference() -> None:
    edges = sorted(EDGE.findall(TEXT))
    references = [
        (key.column.table.name, table.name, key.parent.name)
        for table in metadata.tables.values()
        for key in table.foreign_keys
    ]
    assert edges == sorted(references)


def key_of(column: Column[object]) -> str:
    """What the page tells in the column "Key"."""
    told = []
    if column.primary_key:
        told.append("PK")
    for unique in (each for each in column.table.constraints if isinstance(each, UniqueConstraint)):
        *others, last = unique.columns
        if column is last:
            told.append(f"unique with {' and '.join(f'`{other.name}`' for other in others)}" if others else "unique")
    told += [f"→ {key.column.table.name}.{key.column.name}, {str(key.ondelete).lower()}" for key in column.foreign_keys]
    return ", ".join(told)
