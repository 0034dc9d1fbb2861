"""What is done to one column, in words for the report too."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.tables.columns import Column, ColumnKind
from shared.training.preprocessing import ColumnChoice, Cycle, Encode, Scale, Text

Role = Literal["number", "boolean", "category", "text", "left_out"]

# Rarer categories share one encoded column, so that a column of codes does not become thousands.
MAX_CATEGORIES = 50
BINS = 10
TEXT_COLUMNS = 30
HASHED_COLUMNS = 256

LEFT_OUT = "left out: "
_TEXTS: dict[Text, str] = {
    "characters": f"up to {TEXT_COLUMNS} columns from its groups of 3 and 4 characters",
    "words": f"up to {TEXT_COLUMNS} columns from its words and pairs of words",
    "hashing": f"its words hashed into {HASHED_COLUMNS} columns",
}
_IMPUTED = {"median": "the median", "mean": "the mean", "most_frequent": "the most frequent value", "zero": "0"}
_SCALED: dict[Scale, list[str]] = {
    "squash": ["scaled to median 0 and quartiles 1 apart", "beyond 2 squashed to at most 4"],
    "standard": ["scaled to mean 0 and deviation 1"],
    "robust": ["scaled to median 0 and quartiles 1 apart"],
    "minmax": ["scaled to 0 to 1"],
    "none": [],
}
_ENCODED = {
    "one_hot": "one column of 0 and 1 per category",
    "ordinal": "one number per category",
    "target": "the mean of the target per category, from other rows",
}
_NO_CHOICE = ColumnChoice()


class Treatment(BaseModel):
    """What is done to one column."""

    model_config = ConfigDict(frozen=True)

    column: str = Field(description="The name of the column.")
    kind: ColumnKind = Field(description="What its values are.")
    role: Role = Field(description="How the estimator sees the column, or `left_out`.")
    treatment: str = Field(description="What is done to it, in words.")

    @property
    def reason(self) -> str:
        """Why the column is left out."""
        return self.treatment.removeprefix(LEFT_OUT)


class Manner(BaseModel):
    """What holds for all columns, unless something else is chosen for one.

    A table with gaps is `imputed` if the estimator needs it. Numbers are `scaled` if it needs that, and `squashes` says
    that those far from others are brought nearer. `keeps_gaps` says that the estimator itself takes missing numbers,
    `plain` that nothing is to be done to any column, `categorical` that it takes nothing but numbers of categories, and
    `averages` that very many categories become the mean of the target.
    """

    model_config = ConfigDict(frozen=True)

    numeric: bool
    imputed: bool
    scaled: bool
    categorical: bool
    keeps_gaps: bool
    plain: bool = False
    averages: bool = False
    squashes: bool = False

    @property
    def scale(self) -> Scale:
        """How numbers are scaled, unless something else is chosen for one column."""
        usual: Scale = "squash" if self.squashes else "standard"
        return usual if self.scaled else "none"

    def encoding(self, column: Column, choice: ColumnChoice | None) -> Encode:
        """What becomes of the categories of a column."""
        if choice is not None and choice.encode is not None:
            return choice.encode
        if self.categorical:
            return "ordinal"
        # Versions that older releases took are treated as by these.
        many = column.unique > MAX_CATEGORIES and column.cells is not None
        return "target" if self.averages and many else "one_hot"


def words_of(
    column: Column, role: Role, manner: Manner, choice: ColumnChoice | None, *, cycles: tuple[Cycle, ...]
) -> str:
    """The treatment of a column that is used."""
    chosen = choice or _NO_CHOICE
    if role == "number":
        words = _of_number(column, manner, chosen, cycles)
    elif role == "boolean":
        words = _of_boolean(column, manner, chosen)
    elif role == "text":
        words = _TEXTS[chosen.text or "characters"] + ", missing is an empty text"
    else:
        words = _of_category(column, manner, chosen)
    return f"{words}; chosen in 'preprocessing'" if choice is not None else words


def _of_number(column: Column, manner: Manner, chosen: ColumnChoice, cycles: tuple[Cycle, ...]) -> str:
    parts = ["days since 1970-01-01 UTC" if column.kind is ColumnKind.DATETIME else "used as a number"]
    parts += [f"and where it is in the {_listed(cycles)}"] if cycles else []
    if chosen.impute is not None:
        parts += [] if chosen.impute == "none" else [f"missing values become {_IMPUTED[chosen.impute]}"]
    elif manner.keeps_gaps:
        parts += ["missing values are left to the estimator"] if column.missing else []
    elif manner.imputed or not (manner.numeric or manner.plain):
        parts.append("missing values become the median")
        parts += ["a column says where they were"] if column.missing and not manner.categorical else []
    parts += _SCALED[chosen.scale or manner.scale]
    parts += [f"{column.not_finite} values that are not finite count as missing"] if column.not_finite else []
    parts += [f"{column.rounded} values are rounded"] if column.rounded else []
    parts += [f"cut into up to {BINS} bins"] if manner.categorical else []
    return ", ".join(parts)


def _of_boolean(column: Column, manner: Manner, chosen: ColumnChoice) -> str:
    if manner.keeps_gaps or manner.plain or chosen.impute == "none":
        return "0 or 1" + (", missing values are left to the estimator" if column.missing else "")
    return "0 or 1, missing values become the more frequent one"


def _of_category(column: Column, manner: Manner, chosen: ColumnChoice) -> str:
    encode = manner.encoding(column, chosen)
    rare = column.unique > MAX_CATEGORIES and encode != "target"
    together = f", the rarest beyond {MAX_CATEGORIES} together" if rare else ""
    missing = "missing becomes the most frequent one" if chosen.impute == "most_frequent" else "missing is a category"
    scaled = f", {_SCALED['standard'][0]}" if encode == "target" and manner.scaled else ""
    return f"{_ENCODED[encode]}{together}, {missing}{scaled}"


def _listed(cycles: tuple[Cycle, ...]) -> str:
    *most, last = cycles
    return f"{', the '.join(most)} and the {last}" if most else last
