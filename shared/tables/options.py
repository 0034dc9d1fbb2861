"""How a file shall be read, as far as who uploads it says so; the rest is found out."""

import codecs
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from shared.tables.columns import ColumnKind, Form
from shared.tables.reading import Decimal, Thousands

_MOST_WORDS = 1_000
_LONGEST_WORD = 256
# Names by which people know a delimiter that is hard to type.
_DELIMITERS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "blank": " ", "space": " "}
_QUOTES = {"double": '"', "single": "'"}
_FORMS: dict[ColumnKind, tuple[Form, ...]] = {
    ColumnKind.DATETIME: ("dmy", "mdy"),
    ColumnKind.NUMBER: ("percent", "currency"),
}


def _known_encoding(name: str) -> str:
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        raise ValueError(f"'{name[:40]}' is not an encoding; known are utf-8, cp1252, utf-16 and many more") from None
    if not found._is_text_encoding or found.name in {"idna", "punycode", "raw_unicode_escape", "unicode_escape"}:  # noqa: SLF001 - says what no public name does
        raise ValueError(f"'{name[:40]}' is not an encoding of text")
    return found.name


def _one_delimiter(text: str) -> str:
    delimiter = _DELIMITERS.get(text.lower(), text)
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter.isalnum() or delimiter in "\"'\r\n\\.+-\0":
        raise ValueError("give one character such as , ; | or tab, or blank for blanks of any number")
    return delimiter


def _one_quote(text: str) -> str:
    quote = _QUOTES.get(text.lower(), text)
    if quote not in {'"', "'", "none"}:
        raise ValueError("""give " or ', or none where cells are never quoted""")
    return quote


def _none_as_text(value: object) -> object:
    return "none" if isinstance(value, str) and value.strip().lower() == "none" else value


class KindChoice(BaseModel):
    """A kind and, for dates and numbers, how they are written."""

    model_config = ConfigDict(frozen=True)

    kind: ColumnKind
    form: Form | None = None


def kind_choice(text: str) -> KindChoice:
    """The choice that is written as `category`, `datetime:dmy` or `number:percent`.

    Raises:
        ValueError: saying which choices there are.
    """
    kind, _, form = text.strip().lower().partition(":")
    known = {kind.value for kind in ColumnKind}
    if kind not in known:
        raise ValueError(f"'{text[:40]}' is not a kind; kinds are {', '.join(sorted(known))}")
    forms: tuple[str, ...] = _FORMS.get(ColumnKind(kind), ())
    if form and form not in forms:
        said = " or ".join(f"{kind}:{each}" for each in forms) or kind
        raise ValueError(f"'{text[:40]}' is not a kind; write {said}")
    return KindChoice.model_validate({"kind": kind, "form": form or None})


def _known_kinds(kinds: dict[str, str]) -> dict[str, str]:
    return {name: text.strip().lower() for name, text in kinds.items() if kind_choice(text)}


Word = Annotated[str, Field(max_length=_LONGEST_WORD)]


class ReadingOptions(BaseModel):
    """What is said about a file; what is left out is told from its bytes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    encoding: Annotated[str, AfterValidator(_known_encoding)] | None = Field(
        default=None, description="The encoding of the text, such as utf-8, cp1252 or utf-16.", examples=["cp1252"]
    )
    delimiter: Annotated[str, AfterValidator(_one_delimiter)] | None = Field(
        default=None,
        description="What parts the cells of a line: one character, tab, or blank for blanks of any number.",
        examples=[";"],
    )
    quote: Annotated[str, AfterValidator(_one_quote)] | None = Field(
        default=None, description="What encloses cells: \" or ', or none.", examples=["'"]
    )
    decimal: Decimal | None = Field(default=None, description="The decimal mark: . or a comma.", examples=[","])
    thousands: Annotated[Thousands | Literal["none"], BeforeValidator(_none_as_text)] | None = Field(
        default=None, description="What parts thousands: , . a blank or ', or none.", examples=["."]
    )
    header: Annotated[Literal["none"] | Annotated[int, Field(ge=1)], BeforeValidator(_none_as_text)] | None = Field(
        default=None,
        description="The number of the line with the names of the columns, or none; 'names' gives them then.",
        examples=[1],
    )
    names: Annotated[list[Word], Field(min_length=1)] | None = Field(
        default=None, description="The names of the columns, for a file without them.", examples=[["age", "city"]]
    )
    gap_words: Annotated[list[Word], Field(max_length=_MOST_WORDS)] | None = Field(
        default=None,
        description="The words that count as missing in columns of words; [] for none. An empty cell always does.",
        examples=[["NA", "?"]],
    )
    kinds: Annotated[dict[str, str], AfterValidator(_known_kinds)] | None = Field(
        default=None,
        description="The kinds of columns by name: integer, number, boolean, category, text, datetime; also "
        "datetime:dmy, datetime:mdy, number:percent and number:currency.",
        examples=[{"zip": "category"}],
    )

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if self.names is not None and self.header not in {None, "none"}:
            raise ValueError("'names' are for a file without a line of names: leave out 'header', or send none")
        if self.header == "none" and self.names is None:
            raise ValueError("with 'header' none, 'names' has to give the names of the columns")
        if self.decimal is not None and self.decimal == self.thousands:
            raise ValueError("'decimal' and 'thousands' cannot be the same mark")
        if self.decimal is not None and self.decimal == self.delimiter:
            raise ValueError("'decimal' and 'delimiter' cannot be the same mark")
        return self

    @property
    def said(self) -> bool:
        """Whether anything is said at all."""
        return bool(self.model_fields_set) and self != ReadingOptions()
