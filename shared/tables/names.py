"""The names of the columns, made usable or refused."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection
from typing import Any

from shared.errors import DuplicateColumns, EmptyTable, InvalidTable, TableTooLarge
from shared.tables.controls import find_control
from shared.tables.inspected import TableLimits
from shared.tables.reading import NEWEST_RULES, Rules

LONGEST_COLUMN_NAME = 256

# Joiners and marks without width; nobody sees or types them.
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")


def settle_names(
    raw: list[str], limits: TableLimits, *, rules: Rules = NEWEST_RULES, in_line: bool = True
) -> list[str]:
    """The names, cleaned by `clean_name`; a column without a name is called `column_<position>`.

    The first rules only removed the blanks around names. `in_line` says that the names are in a line of the file, so
    that another line may be meant.

    Raises:
        EmptyTable: when there is no column.
        TableTooLarge: when there are too many, or a name is too long.
        DuplicateColumns: naming those that appear twice.
        InvalidTable: when a name holds a control character.
    """
    if not raw:
        raise EmptyTable("The table has no columns.")
    if len(raw) > limits.max_columns:
        raise TableTooLarge(
            f"The table has {len(raw):,} columns, the limit is {limits.max_columns:,}. Upload those that you need, "
            "or have MLMINI_TABLE_MAX_COLUMNS raised.",
            limit=limits.max_columns,
            setting="MLMINI_TABLE_MAX_COLUMNS",
        )
    if not limits.controls:
        # Before `strip`, which would remove some control characters as blanks.
        _check_controls(raw)
    clean = str.strip if rules == 1 else clean_name
    names = [clean(name) or f"column_{position}" for position, name in enumerate(raw, start=1)]
    for position, name in enumerate(names, start=1):
        if len(name) > LONGEST_COLUMN_NAME:
            raise TableTooLarge(
                f"The name of column {position} has {len(name):,} characters, the limit is {LONGEST_COLUMN_NAME}. "
                "Shorten it.",
                limit=LONGEST_COLUMN_NAME,
            )
    _check_unique(names, in_line=in_line)
    return names


def changed_names(raw: list[str], names: list[str]) -> list[str]:
    """The names of which more was removed than the blanks around them."""
    return [name for written, name in zip(raw, names, strict=False) if written.strip() not in {name, ""}]


def _check_controls(names: list[str]) -> None:
    for position, name in enumerate(names, start=1):
        if control := find_control(name):
            raise InvalidTable(
                f"The name of column {position} holds {control.name}, which no name here can hold. Rename the column.",
                errors=[{"loc": ["file", position], "msg": control.name}],
            )


def clean_name(name: str) -> str:
    """A name in composed form, without what cannot be seen and without blanks around it."""
    return name.strip() if name.isascii() else unicodedata.normalize("NFC", _INVISIBLE.sub("", name)).strip()


def settled_name(name: str, known: Collection[str]) -> str:
    """The known name that somebody means who writes it as their file does; the name itself if there is none."""
    clean = clean_name(name)
    return clean if name not in known and clean in known else name


def with_settled_names(record: dict[str, Any], known: Collection[str]) -> dict[str, Any]:
    """The record with known names where its own are such but for the way they are written; each of them once."""
    settled: dict[str, Any] = {}
    for name, value in record.items():
        clean = settled_name(name, known)
        settled[name if clean in record or clean in settled else clean] = value
    return settled


def _check_unique(names: list[str], *, in_line: bool) -> None:
    positions: dict[str, list[int]] = defaultdict(list)
    for position, name in enumerate(names, start=1):
        positions[name].append(position)
    twice = {name: ", ".join(map(str, where)) for name, where in positions.items() if len(where) > 1}
    if not twice:
        return
    shown = "; ".join(f"'{name}' (columns {where})" for name, where in list(twice.items())[:20])
    hint = "Rename or remove them" + (", or send 'header' with the line of the names." if in_line else ".")
    raise DuplicateColumns(
        f"Each column needs a name of its own, but some appear more than once: {shown}. {hint}",
        errors=[{"loc": ["file", name], "msg": f"columns {where} have this name"} for name, where in twice.items()],
    )
