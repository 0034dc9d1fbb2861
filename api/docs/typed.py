"""Operations that ask one model, described with the columns, categories and ranges of the version that serves."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from api.http.problems import MEDIA_TYPE
from shared.estimators.signature import InputColumn, Signature
from shared.registry.described import DescribedModel
from shared.tables.columns import Column

# Of wider models, the first columns are described.
MOST_COLUMNS = 200
_MOST_CATEGORIES = 20
_MOST_CLASSES = 50
# Names, categories and labels may be long.
_MOST_SHOWN = 80
_TYPES = {"integer": "integer", "number": "number", "boolean": "boolean", "text": "string", "datetime": "string"}
# What stands in an example where the table has no value to show.
_INSTEAD: dict[str, Any] = {"integer": 0, "number": 0.0, "boolean": False, "string": "…"}
_JSON_TYPES: dict[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string"}
_REF = "#/components/schemas/"


class ServedHere(NamedTuple):
    """A model where it serves, and the targets of all versions that are active there."""

    dataset_name: str
    environment: str
    targets: tuple[str, ...]
    model: DescribedModel

    @property
    def path(self) -> str:
        """The address at which it is asked."""
        return f"/models/{self.dataset_name}/{self.environment}/predict"


def described_width(signature: Signature) -> int:
    """How many columns of a model are described."""
    return min(len(signature.inputs), MOST_COLUMNS)


def typed_operation(served: ServedHere) -> dict[str, Any]:
    """The operation of a model; Swagger UI fills in its own example."""
    signature = served.model.signature
    every = [(column, served.model.columns.get(column.name)) for column in signature.inputs]
    columns = every[:MOST_COLUMNS]
    # Whole, however wide: a row that lacks columns may be refused.
    example = {column.name: _example(column, known) for column, known in every}
    return {
        "tags": ["Predict"],
        "summary": f"Predict with the model of {served.dataset_name} in {served.environment}",
        "description": _description(served),
        # A name of a dataset has no two underscores one after the other, so that this is the only one.
        "operationId": f"predict__{served.dataset_name}__{served.environment}",
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": _body(signature, columns),
                    "examples": _examples(signature, {"input_data": {"records": [example]}}),
                }
            },
        },
        "responses": {
            "200": {
                "description": "One prediction for each row",
                "content": {"application/json": {"schema": _answer(signature), "example": _sample(served)}},
            },
            "default": {
                "description": "What is wrong, as at `POST /predict`",
                "content": {MEDIA_TYPE: {"schema": {"$ref": f"{_REF}Problem"}}},
            },
        },
    }


def _description(served: ServedHere) -> str:
    model, signature = served.model, served.model.signature
    said = f"Version {model.version}, a {_code(model.estimator)}, serves there. It predicts {_code(signature.target)}"
    classes = signature.classes or []
    shown = f": {', '.join(_code(label) for label in classes[:_MOST_CLASSES])}" if classes else ", a number"
    more = f" and {len(classes) - _MOST_CLASSES} more" if len(classes) > _MOST_CLASSES else ""
    sentences = [f"{said}{shown}{more}.", "The request is that of `POST /predict` without its first two fields."]
    if len(signature.inputs) > MOST_COLUMNS:
        sentences.append(
            f"Of its {len(signature.inputs):,} columns the first {MOST_COLUMNS} are described here; "
            f"`GET /models/{model.version}` has all of them."
        )
    if (promise := signature.uncertainty) is not None:
        what = "both ends of an interval around it" if signature.task == "regression" else "all labels that are likely"
        sentences.append(
            f"`interval` in `return` adds {what}: they hold the truth for {promise.level:.0%} of rows like those of "
            "its table."
        )
    if len(served.targets) > 1:
        sentences.append("Versions of several targets are active there: `target` chooses.")
    return " ".join(sentences)


def _examples(signature: Signature, body: dict[str, Any]) -> dict[str, Any]:
    examples = {"row": {"summary": "One row", "value": body}}
    if signature.uncertainty is not None:
        examples["interval"] = {"summary": "One row, with its interval", "value": body | {"return": ["interval"]}}
    return examples


def _body(signature: Signature, columns: Sequence[tuple[InputColumn, Column | None]]) -> dict[str, Any]:
    width = len(signature.inputs)
    whole = len(columns) == width
    record = {
        "type": "object",
        "properties": {column.name: _schema(column, known) for column, known in columns},
        "required": [column.name for column, _ in columns if column.used and not column.missing_allowed],
        "additionalProperties": not whole,
    }
    rows = {"type": "array", "minItems": width, "maxItems": width}
    generic = f"{_REF}TypedPredictRequest/properties/"
    return {
        "type": "object",
        "properties": {
            "input_data": {
                "type": "object",
                "description": "The rows, by name or in the order of the columns.",
                "properties": {
                    "records": {"type": "array", "items": record},
                    "features": {"type": "array", "items": rows},
                },
                "additionalProperties": False,
            },
            **{name: {"$ref": generic + name} for name in ("return", "version", "target")},
        },
        "required": ["input_data"],
        "additionalProperties": False,
    }


def _schema(column: InputColumn, known: Column | None) -> dict[str, Any]:
    schema: dict[str, Any] = {"description": _said_of(column, known)}
    kind = _type_of(column)
    if kind is not None:
        schema["type"] = [kind, "null"] if column.missing_allowed else kind
    if column.categories:
        schema["examples"] = [_short(value) for value in column.categories[:_MOST_CATEGORIES]]
    elif known is not None and known.examples:
        schema["examples"] = [_short(value) for value in known.examples]
    return schema


def _said_of(column: InputColumn, known: Column | None) -> str:
    said = [f"{column.kind.capitalize()}"]
    if known is not None and known.min is not None and known.max is not None:
        said.append(f"from {known.min:g} to {known.max:g} in the data")
    if column.categories:
        count = len(column.categories)
        shown = f", of which {_MOST_CATEGORIES} are shown" if count > _MOST_CATEGORIES else ""
        said.append(f"{count} categories in training{shown}")
    said.append("may be missing" if column.missing_allowed else "must not be missing")
    if not column.used:
        said.append("the model leaves it aside")
    return "; ".join(said) + "."


def _type_of(column: InputColumn) -> str | None:
    """The type in JSON; None for a category of several types, or of none that is known."""
    if column.kind in _TYPES:
        return _TYPES[column.kind]
    kinds = {_JSON_TYPES.get(type(value)) for value in column.categories or ()}
    return kinds.pop() if len(kinds) == 1 else None


def _example(column: InputColumn, known: Column | None) -> Any:
    """A value that the column has, the first one where that is known."""
    values = (known.examples if known is not None else []) or column.categories or []
    if values:
        return values[0]
    return None if column.missing_allowed else _INSTEAD.get(_type_of(column) or "string")


def _answer(signature: Signature) -> dict[str, Any]:
    if signature.task == "regression":
        item: dict[str, Any] = {"type": "number"}
    else:
        classes = signature.classes or []
        item = {"enum": classes} if 0 < len(classes) <= _MOST_CLASSES else {}
    said: dict[str, Any] = {"predictions": {"type": "array", "items": item}}
    if signature.uncertainty is not None:
        length = {"minItems": 2, "maxItems": 2} if signature.task == "regression" else {"minItems": 1}
        said["intervals"] = {"type": "array", "items": {"type": "array", "items": item, **length}}
    return {"allOf": [{"$ref": f"{_REF}PredictAnswer"}, {"properties": said}]}


def _sample(served: ServedHere) -> dict[str, Any]:
    """An answer, with a label that the column of the target has."""
    signature = served.model.signature
    known = served.model.columns.get(signature.target)
    values = signature.classes or (known.examples if known is not None else []) or [0.0]
    return {
        "dataset_name": served.dataset_name,
        "environment": served.environment,
        "version": served.model.version,
        "target": signature.target,
        "predictions": values[:1],
        "warnings": [],
    }


def _short(value: Any) -> Any:
    return value if not isinstance(value, str) or len(value) <= _MOST_SHOWN else f"{value[: _MOST_SHOWN - 1]}…"


def _code(value: Any) -> str:
    """A name or a label as it stands, in a text that is shown with marks."""
    text = value if isinstance(value, str) else json.dumps(value)
    return f"`{_short(text).replace('`', chr(39))}`"
