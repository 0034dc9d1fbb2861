"""Further options of a training, which most do without."""

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

# By the names of the values.
OPTIONS: dict[str, Any] = {
    "threshold": Threshold,
    "positive": Positive,
    "learning_curve": LearningCurve,
    "reuse": Reuse,
}
