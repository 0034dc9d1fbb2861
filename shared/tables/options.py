"""How a file shall be read, as far as who uploads it says so; the rest is found out."""

import codecs
import encodings
import pkgutil
from collections import Counter
from encodings.aliases import aliases
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

from shared.tables.columns import ColumnKind, Form
from shared.tables.controls import find_control
from shared.tables.names import clean_name
from shared.tables.reading import Decimal

# As many as a training takes.
_MOST_COLUMNS = 5_000
_MOST_WORDS = 1_000
_LONGEST_WORD = 256
# Names by which people know a mark that is hard to type.
_MARKS = {"tab": "\t", "\\t": "\t", "semicolon": ";", "pipe": "|", "comma": ",", "point": ".", "apostrophe": "'"}
_MARKS |= dict.fromkeys(("blank", "space"), " ")
_QUOTES = {"double": '"', "single": "'"}
_FORMS: dict[ColumnKind, tuple[Form, ...]] = {
    ColumnKind.DATETIME: ("dmy", "mdy"),
    ColumnKind.NUMBER: ("percent", "currency"),
}
_KINDS = ", ".join(kind.value for kind in ColumnKind)
# Those of Python, without such that are not those of a file, are on other systems only or no encodings at all.
_NO_FILES = {"idna", "punycode", "raw_unicode_escape", "unicode_escape", "undefined", "mbcs", "oem", "aliases"}
_ENCODINGS = {module.name for module in pkgutil.iter_modules(encodings.__path__)} - _NO_FILES


def _known_encoding(name: str) -> str:
    short = encodings.normalize_encoding(name[:_LONGEST_WORD]).lower()
    module = aliases.get(short, short)
    # Python remembers each name that it looks for, so it is asked for none that is not there.
    found = codecs.lookup(module) if module in _ENCODINGS else None
    if found is None or not found._is_text_encoding:  # noqa: SLF001 - says what no public name does
        raise ValueError("give the name of an encoding of text, such as utf-8, cp1252 or utf-16")
    return found.name


def _one_delimiter(text: str) -> str:
    delimiter = _MARKS.get(text.lower(), text)
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


def _mark(value: object) -> object:
    return _MARKS.get(value.strip().lower(), _none_as_text(value)) if isinstance(value, str) else value


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
    if kind not in set(ColumnKind):
        raise ValueError(f"give one of the kinds {_KINDS}")
    forms: tuple[str, ...] = _FORMS.get(ColumnKind(kind), ())
    if form and form not in forms:
        said = " or ".join([kind, *(f"{kind}:{each}" for each in forms)])
        raise ValueError(f"give {said}")
    return KindChoice.model_validate({"kind": kind, "form": form or None})


def _known_kind(text: str) -> str:
    kind_choice(text)
    return text.strip().lower()


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
    decimal: Annotated[Decimal, BeforeValidator(_mark)] | None = Field(
        default=None, description="The decimal mark: a point or a comma.", examples=[","]
    )
    thousands: Annotated[Literal[",", ".", " ", "'", "none"], BeforeValidator(_mark)] | None = Field(
        default=None,
        description="What parts thousands: a comma, a point, a blank or an apostrophe, or none.",
        examples=["."],
    )
    header: Annotated[Literal["none"] | Annotated[int, Field(ge=1)], BeforeValidator(_none_as_text)] | None = Field(
        default=None,
        description="The number of the line with the names of the columns, or none; 'names' gives them then.",
        examples=[1],
    )
    names: list[Word] | None = Field(
        default=None,
        min_length=1,
        max_length=_MOST_COLUMNS,
        validate_default=True,
        description="The names of the columns, for a file without them.",
        examples=[["age", "city"]],
    )
    gap_words: list[Word] | None = Field(
        default=None,
        max_length=_MOST_WORDS,
        description="The words that count as missing in columns of words, or numbers such as -999 that do; [] for "
        "none. An empty cell always does.",
        examples=[["NA", "?"]],
    )
    kinds: dict[str, Annotated[str, AfterValidator(_known_kind)]] | None = Field(
        default=None,
        max_length=_MOST_COLUMNS,
        description="The kinds of columns by name: integer, number, boolean, category, text, datetime; also "
        "datetime:dmy, datetime:mdy, number:percent and number:currency.",
        examples=[{"zip": "category"}],
    )

    # Each field is checked against those above it, which are in `info.data` as far as they are right.

    @field_validator("decimal")
    @classmethod
    def _check_decimal(cls, decimal: str | None, info: ValidationInfo) -> str | None:
        if decimal is not None and decimal == info.data.get("delimiter"):
            raise ValueError("'decimal' and 'delimiter' cannot be the same mark: change one of them")
        return decimal

    @field_validator("thousands")
    @classmethod
    def _check_thousands(cls, thousands: str | None, info: ValidationInfo) -> str | None:
        if thousands is not None and thousands == info.data.get("decimal"):
            raise ValueError("'decimal' and 'thousands' cannot be the same mark: change one of them")
        return thousands

    @field_validator("header", mode="before")
    @classmethod
    def _check_header(cls, header: object) -> object:
        number = header if isinstance(header, int) and not isinstance(header, bool) else None
        if header is None or _none_as_text(header) == "none" or (number is not None and number >= 1):
            return header
        raise ValueError("give the number of the line with the names of the columns, from 1, or none")

    @field_validator("names")
    @classmethod
    def _check_names(cls, names: list[str] | None, info: ValidationInfo) -> list[str] | None:
        header = info.data.get("header")
        if names is None:
            if header == "none":
                raise ValueError("with 'header' none, 'names' has to give the names of the columns")
            return None
        if header not in {None, "none"}:
            raise ValueError("'names' are for a file without a line of names: leave out 'header', or send none")
        counted = Counter(name.strip() for name in names)
        if "" in counted:
            raise ValueError(
                f"name {names.index(next(n for n in names if not n.strip())) + 1} is blank: name each column"
            )
        if control := next(filter(None, map(find_control, names)), None):
            raise ValueError(f"a name holds {control.name}: leave it out")
        twice = next((name for name, times in counted.items() if times > 1), None)
        if twice is not None:
            raise ValueError(f"the name '{twice[:40]}' is given twice: name each column once")
        return names

    @field_validator("kinds")
    @classmethod
    def _settle_kinds(cls, kinds: dict[str, str] | None) -> dict[str, str] | None:
        settled: dict[str, str] = {}
        for name, kind in (kinds or {}).items():
            clean = clean_name(name)
            # Some writings of a name look alike.
            if clean in settled:
                raise ValueError(f"the column '{clean[:40]}' is given twice: give it one kind")
            settled[clean] = kind
        return None if kinds is None else settled

    @property
    def said(self) -> bool:
        """Whether anything is said at all."""
        return bool(self.model_fields_set) and self != ReadingOptions()
