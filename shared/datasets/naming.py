"""From what a person calls a table to the one name that it has in the catalog."""

import re
import unicodedata
from uuid import uuid4

from shared.errors import InvalidName

LONGEST_NAME = 64

_COMPRESSED = (".gz", ".gzip")
_EXTENSIONS = (".csv", ".tsv", ".tab", ".txt", ".parquet", ".pq", ".jsonl", ".ndjson", ".json", ".xlsx", ".xlsm")
_OBJECT_KEY = re.compile(r"[a-z0-9_]{1,64}/[0-9a-f]{32}\.(csv|tsv|parquet|jsonl|xlsx)(\.gz)?")


def new_object_key(name: str, extension: str) -> str:
    """A key for an upload that no other upload ever has."""
    return f"{name}/{uuid4().hex}.{extension}"


def is_object_key(key: str) -> bool:
    """Whether `new_object_key` may have made a key."""
    return _OBJECT_KEY.fullmatch(key) is not None


def normalise_name(raw: str) -> str:
    """The catalog name for a file name or a name that somebody asks for: `"My DataSet.csv"` becomes `my_dataset`.

    Raises:
        InvalidName: when nothing is left, or more than 64 characters are.
    """
    name = _shorten(raw)
    if not name:
        raise InvalidName(
            f"The name {raw[:80]!r} has no letter a-z and no digit in it. "
            "Give the dataset another name in the field 'name', for instance 'my_dataset'."
        )
    if len(name) > LONGEST_NAME:
        raise InvalidName(
            f"The name '{name[:80]}' is too long: {len(name)} characters, the limit is {LONGEST_NAME}. "
            "Give the dataset a shorter name in the field 'name'."
        )
    return name


def nearest_name(raw: str) -> str | None:
    """The normalised name where there is one; for suggestions."""
    name = _shorten(raw)
    return name if 0 < len(name) <= LONGEST_NAME else None


def _shorten(raw: str) -> str:
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", raw) if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9]+", "_", _without_extension(plain.strip().lower())).strip("_")


def _without_extension(name: str) -> str:
    for ending in _COMPRESSED:
        if name.endswith(ending):
            name = name.removesuffix(ending)
            break
    for ending in _EXTENSIONS:
        if name.endswith(ending):
            return name.removesuffix(ending)
    return name
