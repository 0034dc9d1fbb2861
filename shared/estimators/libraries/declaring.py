"""How the parameters of a library are written down that publishes no constraints: defaults and JSON schemas."""

from dataclasses import dataclass, field
from typing import Any

from shared.estimators.json_schema import LARGEST_INTEGER
from shared.estimators.restrictions import CAPS, MAX_ITEMS
from shared.estimators.signature import Task

Schema = dict[str, Any]

NULL: Schema = {"type": "null"}
FLAG: Schema = {"type": "boolean"}
# LightGBM keeps whole numbers, and so its seeds, in 32 bits.
INT32 = 2**31 - 1
_LABEL_LENGTH = 256
WEIGHTS: Schema = {
    "type": "object",
    "maxProperties": MAX_ITEMS,
    "propertyNames": {"maxLength": _LABEL_LENGTH},
    "additionalProperties": {"type": ["number"], "minimum": 0},
}

FILES = "it reaches files of the server"
DEVICE = "models here are fitted on the processor, which every worker has"
SERVER = "the server sets it from the share of cores that a job has"
OUTPUT = "the output of the estimator is not kept; warnings are in the report"
CODE = "it would run code of the request"
WATCHED = "it needs rows of its own to watch, which a training here does not set aside"
RECIPE = "it is about single columns, and the recipe makes other columns of those of the table"
CATEGORIES = "the recipe turns categories into columns of 0 and 1"
LABELS = "it follows from the labels of the target"


@dataclass(frozen=True)
class Declared:
    """A parameter: its default, and what else it may be."""

    default: Any
    allowed: tuple[Schema, ...]


@dataclass(frozen=True)
class DeclaredEstimator:
    """A class of a library. What is `refused` has its reason, as a clause."""

    name: str
    task: Task
    summary: str
    parameters: dict[str, Declared]
    refused: dict[str, str]
    numbers_classes: bool = False
    # What the server sets, and what it needs to know of other names of the parameters.
    aliases: dict[str, str] = field(default_factory=dict)


def whole(default: int | None, least: int, most: int = INT32) -> Declared:
    """A whole number."""
    schema = {"type": "integer", "minimum": least, "maximum": most}
    return Declared(default, (schema,) if default is not None else (schema, NULL))


def number(
    default: float | None, least: float | None = None, most: float | None = None, *, above: float | None = None
) -> Declared:
    """A number from `least`, or `above`, to `most`."""
    bounds = {"minimum": least, "exclusiveMinimum": above, "maximum": most}
    schema: Schema = {"type": "number", **{name: bound for name, bound in bounds.items() if bound is not None}}
    return Declared(default, (schema,) if default is not None else (schema, NULL))


def share(default: float | None) -> Declared:
    """A part of all."""
    return number(default, above=0, most=1)


def choice(default: str | None, *names: str) -> Declared:
    """One of these words."""
    schema = {"type": "string", "enum": sorted(names)}
    return Declared(default, (schema,) if default is not None else (schema, NULL))


def flag(*, default: bool) -> Declared:
    """True or false."""
    return Declared(default, (FLAG,))


def trees(default: int) -> Declared:
    """How many rounds are boosted."""
    return whole(default, 1, CAPS["n_estimators"])


def seed(most: int = LARGEST_INTEGER) -> Declared:
    """What chance begins with; null for the seed of the training."""
    return whole(None, 0, min(most, 2**32 - 1))
