"""The small part of JSON Schema that the estimator table is written in: tells whether a value meets it, and in words.

The keyword `format: float` asks for a number that is not whole in Python's sense: 1.0 is one, 1 is not.
"""

import math
from collections.abc import Callable
from typing import Any

# Whole numbers beyond this fit neither a machine word nor, exactly, a float.
_LARGEST = 2**63 - 1
_KEY_LENGTH = 256
_OPTIONS_SHOWN = 16


def meets(value: Any, schema: dict[str, Any]) -> bool:
    """Whether a value read from JSON meets the schema; true and false are no numbers here."""
    kind = schema["type"]
    if isinstance(kind, list):
        return any(meets(value, {**schema, "type": one}) for one in kind)
    return _TESTS[kind](value, schema)


def described(schema: dict[str, Any]) -> str:
    """The schema in words, to follow "must be"."""
    kind = schema["type"]
    if kind == "string" and "enum" in schema:
        return _options(schema["enum"])
    if kind == "array":
        return f"a list of at most {schema['maxItems']} {_plural(schema['items']['type'])}{_range(schema['items'])}"
    if kind in {"integer", "number"}:
        noun = "a whole number" if kind == "integer" else "a number"
        point = " (written with a decimal point)" if "format" in schema else ""
        return f"{noun}{_range(schema)}{point}"
    return {"null": "null", "boolean": "true or false", "string": "a text", "object": "an object of numbers"}[str(kind)]


def _meets_string(value: Any, schema: dict[str, Any]) -> bool:
    if not isinstance(value, str):
        return False
    return value in schema["enum"] if "enum" in schema else len(value) <= schema.get("maxLength", _KEY_LENGTH)


def _meets_number(value: Any, schema: dict[str, Any]) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if isinstance(value, float) and (schema["type"] == "integer" or not math.isfinite(value)):
        return False
    if isinstance(value, int) and ("format" in schema or abs(value) > _LARGEST):
        return False
    return bool(
        value >= schema.get("minimum", -math.inf)
        and value <= schema.get("maximum", math.inf)
        and value > schema.get("exclusiveMinimum", -math.inf)
        and value < schema.get("exclusiveMaximum", math.inf)
    )


def _meets_array(value: Any, schema: dict[str, Any]) -> bool:
    if not isinstance(value, list) or len(value) > schema.get("maxItems", math.inf):
        return False
    # A list in a list holds numbers: nothing nests deeper.
    items = schema.get("items", {"type": ["number", "boolean"]})
    return all(meets(item, items) for item in value)


def _meets_object(value: Any, schema: dict[str, Any]) -> bool:
    """Numbers, or lists of them, by name; a name could reach a function or an internal of the estimator's."""
    if not isinstance(value, dict) or len(value) > schema.get("maxProperties", math.inf):
        return False
    numbers = {"type": ["number", "boolean", "array"]}
    return all(
        len(name) <= _KEY_LENGTH and name != "func" and not name.startswith("__") and meets(item, numbers)
        for name, item in value.items()
    )


def _options(options: list[str]) -> str:
    shown = ", ".join(f"'{option}'" for option in options[:_OPTIONS_SHOWN])
    more = f" and {len(options) - _OPTIONS_SHOWN} more" if len(options) > _OPTIONS_SHOWN else ""
    return f"one of {shown}{more}" if len(options) > 1 else shown


def _plural(kinds: list[str]) -> str:
    names = {"number": "numbers", "integer": "whole numbers", "string": "texts", "array": "lists of numbers"}
    return " or ".join(names[kind] for kind in kinds if kind in names)


def _range(schema: dict[str, Any]) -> str:
    low = _bound(schema, "minimum", "of at least", "exclusiveMinimum", "above")
    high = _bound(schema, "maximum", "at most", "exclusiveMaximum", "below")
    if low and high:
        return f" {low} and {high}"
    return f" {low}" if low else (f" of {high}" if high else "")


def _bound(schema: dict[str, Any], closed: str, closed_words: str, open_: str, open_words: str) -> str:
    if closed in schema:
        return f"{closed_words} {schema[closed]:g}" if schema[closed] < 1e6 else f"{closed_words} {schema[closed]}"
    return f"{open_words} {schema[open_]:g}" if open_ in schema else ""


_TESTS: dict[str, Callable[[Any, dict[str, Any]], bool]] = {
    "null": lambda value, _: value is None,
    "boolean": lambda value, _: isinstance(value, bool),
    "string": _meets_string,
    "integer": _meets_number,
    "number": _meets_number,
    "array": _meets_array,
    "object": _meets_object,
}
