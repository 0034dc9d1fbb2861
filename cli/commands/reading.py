"""Options that say how a file is read, for the verbs that take one."""

from typing import Annotated, Any

import typer

from cli.commands.options import taking

Encoding = Annotated[
    str | None, typer.Option(metavar="NAME", help="The encoding of the text, such as utf-8, cp1252 or utf-16.")
]
Delimiter = Annotated[
    str | None,
    typer.Option(
        metavar="MARK",
        help="What parts the cells of a line: one character, tab, or blank for blanks of any number.",
    ),
]
Quote = Annotated[str | None, typer.Option(metavar="MARK", help="What encloses cells: \" or ', or none.")]
Decimal = Annotated[str | None, typer.Option(metavar="MARK", help="The decimal mark: a point or a comma.")]
Thousands = Annotated[
    str | None,
    typer.Option(metavar="MARK", help="What parts thousands: a comma, a point, a blank or an apostrophe, or none."),
]
Header = Annotated[
    str | None,
    typer.Option(
        metavar="LINE",
        help="The number of the line with the names of the columns, or none; --names gives them then.",
    ),
]
Names = Annotated[
    str | None,
    typer.Option(
        metavar="A,B,C",
        help="The names of the columns, for a file without them. A name with a comma stands in double quotes.",
    ),
]
GapWords = Annotated[
    list[str] | None,
    typer.Option(
        "--gap-word",
        metavar="WORD",
        help="The words that count as missing in columns of words, or numbers such as -999 that do; --no-gap-words for "
        "none. An empty cell always does. Repeatable.",
    ),
]
NoGapWords = Annotated[bool, typer.Option("--no-gap-words", help="No word counts as missing in columns of words.")]
Kinds = Annotated[
    list[str] | None,
    typer.Option(
        "--kind",
        metavar="COLUMN=KIND",
        help="The kinds of columns by name: integer, number, boolean, category, text, datetime; also datetime:dmy, "
        "datetime:mdy, number:percent and number:currency. Repeatable.",
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only show how the file is read, and its first rows; nothing is stored.")
]

# By the names of the values; an option that is not given is None or false.
_OPTIONS: dict[str, Any] = {
    "encoding": Encoding,
    "delimiter": Delimiter,
    "quote": Quote,
    "decimal": Decimal,
    "thousands": Thousands,
    "header": Header,
    "names": Names,
    "gap_words": GapWords,
    "no_gap_words": NoGapWords,
    "kinds": Kinds,
}

# For a verb that has `said`, which gets their values by name.
takes_reading = taking("said", _OPTIONS)
