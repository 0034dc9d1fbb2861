"""Further options of a training, which most do without."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

Threshold = Annotated[
    str | None,
    typer.Option(
        metavar="METRIC|NUMBER|cost:FP,FN",
        help="Of two labels, from which probability on the positive one is said: a number, or chosen for a metric such "
        "as f1, or for the costs of a false positive and a false negative.",
    ),
]
Positive = Annotated[
    str | None, typer.Option(metavar="LABEL", help="The label that --threshold is for; by default the second one.")
]
Reuse = Annotated[
    bool | None, typer.Option("--reuse", help="Give the model of the same training, if there is one that is active.")
]
LearningCurve = Annotated[
    bool | None,
    typer.Option("--learning-curve", help="Also fit models to fewer rows: the report shows whether more would help."),
]
Batches = Annotated[
    int | None,
    typer.Option(
        metavar="ROWS",
        help="Show the rows to the estimator so many at a time, for tables that are larger than the memory of a job.",
    ),
]
Passes = Annotated[
    int | None, typer.Option(metavar="N", help="How often all rows are shown in batches; once by default.")
]

Tag = Annotated[list[str] | None, typer.Option(metavar="TAG", help="A tag of the models that come of it; repeatable.")]
Note = Annotated[str | None, typer.Option(metavar="TEXT", help="A note on the models that come of it.")]

# By the names of the values.
OPTIONS: dict[str, Any] = {
    "threshold": Threshold,
    "positive": Positive,
    "learning_curve": LearningCurve,
    "batches": Batches,
    "passes": Passes,
    "reuse": Reuse,
    "tag": Tag,
    "note": Note,
}


def fields_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """What these values are in a request, where two of them make one field."""
    batches = {"rows": values["batches"], "passes": values["passes"]}
    given = {name: value for name, value in batches.items() if value is not None}
    others = {name: value for name, value in values.items() if name not in {"passes", "tag"}}
    return others | {"batches": given or None, "tags": values["tag"] or None}
