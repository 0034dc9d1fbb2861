"""Checks values against the part of JSON Schema (2020-12) that the estimator table uses, and puts a schema into words.

Any validator gives the same answers; a test compares them. As in JSON, 1 and 1.0 are the same number.
"""

import math
import re
import sys
from typing import Any

from shared.estimators.model_form import KEYWORD, form_in_words

# JSON has one kind of number, and many programs read it as a float64: beyond this, it no longer holds all integers.
LARGEST_INTEGER = 2**53 - 1

_OPTIONS_SHOWN = 16
_MOST = {"maxLength": str, "maxItems": list, "maxProperties": dict}
_LEAST = {"minLength": str, "minItems": list}
_WORDS = {"null": "null", "boolean": "true or false", "string": "a text", "object": "an object of numbers"}


def meets(value: Any, schema: dict[str, Any]) -> bool:
    """Whether a value read from JSON meets the schema."""
    return (
        _is_of_kind(value, schema)
        and _is_one_of(value, schema)
        and _is_in_range(value, schema)
        and all(len(value) <= schema[name] for name, kind in _MOST.items() if name in schema and type(value) is kind)
        and all(len(value) >= schema[name] for name, kind in _LEAST.items() if name in schema and type(value) is kind)
        and _has_members(value, schema)
    )


def is_number(value: Any) -> bool:
    """Whether it is a number of JSON: true and false are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def described(schema: dict[str, Any]) -> str:
    """The schema in words, to follow "must be"; empty for a value that stands for the default only."""
    if "const" in schema:
        return ""
    if KEYWORD in schema:
        return form_in_words(schema)
    kind = schema["type"]
    if "enum" in schema:
        return _options(schema["enum"])
    if kind == "array":
        return f"a list of at most {schema['maxItems']} {_plural(schema['items']['type'])}{_range(schema['items'])}"
    if kind in {"integer", "number"}:
        point = " (with a decimal point: 1.0, not 1)" if "description" in schema else ""
        return f"{'a whole number' if kind == 'integer' else 'a number'}{_range(schema)}{point}"
    return _WORDS[kind]


def _is_of_kind(value: Any, schema: dict[str, Any]) -> bool:
    kinds = schema.get("type")
    if kinds is None:
        return True
    return _kinds_of(value).intersection([kinds] if isinstance(kinds, str) else kinds) != set()


def _kinds_of(value: Any) -> set[str]:
    if is_number(value):
        if not abs(value) <= sys.float_info.max:
            # NaN, infinity, and what no float64 holds: none of them is read from a body.
            return set()
        return {"integer", "number"} if value == int(value) else {"number"}
    kinds = {type(None): "null", bool: "boolean", str: "string", list: "array", dict: "object"}
    return {kinds[type(value)]}


def _is_one_of(value: Any, schema: dict[str, Any]) -> bool:
    if "const" in schema and value != schema["const"]:
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if "pattern" in schema and isinstance(value, str) and not re.search(schema["pattern"], value):
        return False
    if "not" in schema and meets(value, schema["not"]):
        return False
    return "anyOf" not in schema or any(meets(value, each) for each in schema["anyOf"])


def _is_in_range(value: Any, schema: dict[str, Any]) -> bool:
    if not is_number(value):
        return True
    return bool(
        value >= schema.get("minimum", -math.inf)
        and value <= schema.get("maximum", math.inf)
        and value > schema.get("exclusiveMinimum", -math.inf)
        and value < schema.get("exclusiveMaximum", math.inf)
    )


def _has_members(value: Any, schema: dict[str, Any]) -> bool:
    if isinstance(value, list):
        ahead = schema.get("prefixItems", [])
        pairs = zip(value, ahead, strict=False)
        return all(meets(item, schema.get("items", {})) for item in value[len(ahead) :]) and all(
            meets(item, each) for item, each in pairs
        )
    if isinstance(value, dict):
        return _has_properties(value, schema)
    return True


def _has_properties(value: dict[str, Any], schema: dict[str, Any]) -> bool:
    named, names = schema.get("properties", {}), schema.get("propertyNames", {})
    others = schema.get("additionalProperties", {})
    return all(name in value for name in schema.get("required", [])) and all(
        meets(name, names) and (meets(member, named[name]) if name in named else _is_allowed(member, others))
        for name, member in value.items()
    )


def _is_allowed(member: Any, others: dict[str, Any] | bool) -> bool:
    return others if isinstance(others, bool) else meets(member, others)


def _options(options: list[str]) -> str:
    shown = ", ".join(f"'{option}'" for option in options[:_OPTIONS_SHOWN])
    more = f" and {len(options) - _OPTIONS_SHOWN} more" if len(options) > _OPTIONS_SHOWN else ""
    return f"one of {shown}{more}" if len(options) > 1 else shown


def _plural(kinds: list[str]) -> str:
    names = {"number": "numbers", "integer": "whole numbers", "string": "texts", "array": "lists of whole numbers"}
    return " or ".join(names[kind] for kind in kinds if kind in names)


def _range(schema: dict[str, Any]) -> str:
    low = _bound(schema, "minimum", "of at least", "exclusiveMinimum", "above")
    high = _bound(schema, "maximum", "at most", "exclusiveMaximum", "below")
    if low and high:
        return f" {low} and {high}"
    return f" {low}" if low else (f" of {high}" if high else "")


def _bound(schema: dict[str, Any], closed: str, closed_words: str, open_: str, open_words: str) -> str:
    if open_ in schema:
        return f"{open_words} {schema[open_]:g}"
    # The largest whole number of all is not worth a word.
    if closed not in schema or abs(schema[closed]) == LARGEST_INTEGER:
        return ""
    return f"{closed_words} {schema[closed]:g}" if schema[closed] < 1e6 else f"{closed_words} {schema[closed]}"
