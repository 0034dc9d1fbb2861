"""How a model is written where a parameter takes one: as a JSON schema, and in words."""

from typing import Any

from shared.errors import closest, meant

# The most models in a request beside the outermost one, and how deep one may stand inside of others.
MOST_MODELS = 20
MOST_DEPTH = 3

_FORM = '{"module": ..., "class": ..., "params": {...}}'
_FIELDS = ("module", "class", "params")
_MOST_PARAMS = 100
_NAME_LENGTH = 60
# An annotation of ours; readers of JSON Schema pass over what they do not know.
KEYWORD = "x-model"


def schema_of_model(task: str) -> dict[str, Any]:
    """A model like `model` of a training."""
    return {
        "type": "object",
        KEYWORD: task,
        "properties": {
            "module": {"type": "string"},
            "class": {"type": "string"},
            "params": {"type": "object", "maxProperties": _MOST_PARAMS},
        },
        "required": ["module", "class"],
        "additionalProperties": False,
    }


def schema_of_models(task: str) -> dict[str, Any]:
    """A list of pairs of a name and a model."""
    name = {"type": "string", "minLength": 1, "maxLength": _NAME_LENGTH}
    pair = {
        "type": "array",
        "minItems": 2,
        "maxItems": 2,
        "prefixItems": [name, schema_of_model(task)],
    }
    return {"type": "array", KEYWORD: task, "minItems": 1, "maxItems": MOST_MODELS, "items": pair}


def form_in_words(schema: dict[str, Any]) -> str:
    """What a schema of this module asks for, to follow "must be"."""
    kind = {"classification": "classifier", "regression": "regressor"}[schema[KEYWORD]]
    if schema["type"] == "array":
        return f"a list of 1 to {MOST_MODELS} pairs of a name and a {kind}: [[name, {_FORM}], ...]"
    return f"a {kind}: {_FORM}"


def flaw_of_form(value: Any, schema: dict[str, Any]) -> str:
    """What keeps a value from meeting a schema of this module, as a sentence after a space; empty if it is no try."""
    if schema["type"] == "object":
        return _flaw(value) if isinstance(value, dict) else ""
    if not isinstance(value, list):
        return ""
    flaws = (f" Entry {number}:{flaw}" for number, pair in enumerate(value, 1) if (flaw := _flaw_of_pair(pair)))
    return next(flaws, "") if value else " The list is empty."


def _flaw_of_pair(pair: Any) -> str:
    if not (isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) and isinstance(pair[1], dict)):
        return " It is no pair of a name and a model."
    if not 0 < len(pair[0]) <= _NAME_LENGTH:
        return f" The name must have 1 to {_NAME_LENGTH} characters."
    return _flaw(pair[1])


def _flaw(value: dict[str, Any]) -> str:
    for name in ("module", "class"):
        if name not in value:
            return f" The model has no '{name}'."
        if not isinstance(value[name], str):
            return f" '{name}' of the model must be a text."
    unknown = next((name for name in value if name not in _FIELDS), None)
    if unknown is not None:
        return f" A model has no field '{unknown[:_NAME_LENGTH]}'.{meant(closest(unknown, _FIELDS))}"
    params = value.get("params", {})
    if isinstance(params, dict) and len(params) <= _MOST_PARAMS:
        return ""
    return f" 'params' of the model must be an object of at most {_MOST_PARAMS} parameters."
