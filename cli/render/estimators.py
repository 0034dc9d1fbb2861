"""Estimators as tables."""

import json
from typing import Any

from rich.console import RenderableType

from cli.render.output import facts, sections
from cli.render.table import table
from cli.render.text import cell

# Whole numbers beyond this are not exact in JSON, so that the API takes none: for a reader it is no limit.
_LARGEST_EXACT = 2**53 - 1
_TYPES = {
    "boolean": "true or false",
    "null": "null",
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "array": "list of numbers",
    "object": "object",
}


def estimator_list(page: dict[str, Any]) -> RenderableType:
    """The estimators of a page."""
    return table(
        ["Estimator", "Task", "What it is"],
        ((f"{one['module']}.{one['class']}", one["task"], one["summary"]) for one in page["items"]),
        whole=["Estimator"],
    )


def estimator_details(one: dict[str, Any]) -> RenderableType:
    """One estimator: what it does with columns, and each of its parameters."""
    name = f"{one['module']}.{one['class']}"
    return sections(
        facts(
            [
                ("Estimator", name),
                ("What it is", one["summary"]),
                ("Task", one["task"]),
                *([("Package", _package(one))] if one.get("library") else []),
                ("Missing numbers", "are left to it" if one["takes_missing"] else "are filled in before"),
                *([("Numbers", "are scaled before")] if one["needs_scaling"] else []),
                *([("Negative numbers", "are refused")] if one["inputs_not_negative"] else []),
                ("Probabilities", "yes" if one["gives_probabilities"] else "no"),
                *([("Batches", "can be learnt from")] if one.get("learns_in_batches") else []),
            ]
        ),
        table(
            ["Parameter", "Default", "May be"],
            (
                (
                    parameter["name"],
                    "must be given" if parameter.get("required") else _written(parameter["default"]),
                    " | ".join(map(_in_words, parameter["allowed"])),
                )
                for parameter in one["parameters"]
            ),
            whole=["Parameter"],
        ),
        f"Next: mlmini train DATASET --target COLUMN --model {cell(name)} --param NAME=VALUE",
    )


def _in_words(schema: dict[str, Any]) -> str:
    """What a JSON schema of the API allows."""
    if "const" in schema:
        words = _written(schema["const"])
    elif "x-model" in schema:
        words = _model(schema)
    elif "enum" in schema:
        words = ", ".join(map(_written, schema["enum"]))
    elif isinstance(schema.get("type"), str) and schema["type"] in _TYPES:
        words = f"{_TYPES[schema['type']]}{_range(schema)}"
    else:
        words = json.dumps(schema)
    return f"{words} ({schema['description'].rstrip('.')})" if "description" in schema else words


def _model(schema: dict[str, Any]) -> str:
    """A model, or a list of named ones, as JSON."""
    kind = {"classification": "classifier", "regression": "regressor"}[schema["x-model"]]
    model = f'{kind} {{"module": ..., "class": ..., "params": ...}}'
    return f"[[name, {model}], ...]" if schema["type"] == "array" else model


def _range(schema: dict[str, Any]) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    limits = [
        f"from {_limit(least)}" if least is not None else "",
        f"above {_limit(schema['exclusiveMinimum'])}" if "exclusiveMinimum" in schema else "",
        f"to {_limit(most)}" if most is not None and most < _LARGEST_EXACT else "",
        f"below {_limit(schema['exclusiveMaximum'])}" if "exclusiveMaximum" in schema else "",
    ]
    return "".join(f" {limit}" for limit in limits if limit)


def _limit(value: float) -> str:
    return f"{value:,g}" if abs(value) < 10_000 else f"{value:,}"


def _package(one: dict[str, Any]) -> str:
    return str(one["library"]) + ("" if one["installed"] else ", which is not installed with the API")


def _written(value: object) -> str:
    """A value as --param takes it."""
    return value if isinstance(value, str) else json.dumps(value)
