"""The fields of an upload that say how its file is read: texts of a form, some of which hold JSON."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from api.http.json_body import parse_json
from api.http.validation import invalid_request
from shared.errors import BodyTooLarge, InvalidJson, InvalidRequest
from shared.tables.options import ReadingOptions

# The fields with the most bytes of each.
READING_FIELDS = {
    "encoding": 64,
    "delimiter": 16,
    "quote": 16,
    "decimal": 16,
    "thousands": 16,
    "header": 32,
    "names": 2**20,
    "gap_words": 2**19,
    "kinds": 2**20,
}

_LISTS = ("names", "gap_words")
_MAPPINGS = ("kinds",)
# None of them is nested; what has more is refused before it is read.
_MOST_LISTS = 1_000
# In these, a blank has a meaning.
_MARKS = ("delimiter", "thousands")


def reading_options(fields: Mapping[str, str]) -> ReadingOptions:
    """What the fields of a form say about how to read the file; an empty field counts as left out.

    Raises:
        InvalidRequest: with each wrong field, and what to send instead.
    """
    given = {name: text for name, text in fields.items() if name in READING_FIELDS and (text.strip() or name in _MARKS)}
    said = {name: _value(name, text) for name, text in given.items() if text}
    try:
        return ReadingOptions.model_validate(said)
    except ValidationError as error:
        problems = [{**problem, "loc": ("body", *problem["loc"])} for problem in error.errors(include_url=False)]
        raise invalid_request(problems, body=ReadingOptions) from None


def described_fields() -> dict[str, Any]:
    """The schemas of the fields. Swagger UI sends their examples, so these are empty."""
    return {
        name: {"type": "string", "description": f"{_meaning(name)} Left empty, it is found out.", "example": ""}
        for name in READING_FIELDS
    }


def _meaning(name: str) -> str:
    field = ReadingOptions.model_fields[name]
    sample = f" As JSON, such as {_sample(name)}." if name in (*_LISTS, *_MAPPINGS) else ""
    return f"{field.description}{sample}"


def _sample(name: str) -> str:
    return json.dumps((ReadingOptions.model_fields[name].examples or [None])[0])


def _value(name: str, text: str) -> Any:
    if name == "header" and text.strip().isdecimal() and text.isascii():
        return int(text)
    if name not in (*_LISTS, *_MAPPINGS):
        return text
    try:
        value = parse_json(text.encode(), most_lists=_MOST_LISTS)
    except InvalidJson as error:
        raise _not_json(name, error.detail.removeprefix("The body is not valid JSON: ").rstrip(".")) from None
    except BodyTooLarge:
        raise _not_json(name, "it holds lists in lists") from None
    kind = list if name in _LISTS else dict
    if not isinstance(value, kind):
        raise _not_json(name, f"it is not a JSON {'list' if kind is list else 'object'}")
    return value


def _not_json(name: str, why: str) -> InvalidRequest:
    sentence = f"The field '{name}' cannot be read: {why}. Send JSON such as {_sample(name)}."
    return InvalidRequest(sentence, errors=[{"loc": ["body", name], "msg": sentence}])
