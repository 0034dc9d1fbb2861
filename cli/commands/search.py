"""Options that ask for a search of parameters."""

from typing import Annotated, Any

import typer

Search = Annotated[
    str | None,
    typer.Option(
        metavar="METHOD",
        help="Look for good parameters of --model first: random, halving, grid or optuna.",
    ),
]
Trials = Annotated[
    int | None,
    typer.Option(metavar="N", help="With --search: how many candidates are tried; 30 by default, of a grid all."),
]
Metric = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="With --search: what ranks the candidates, such as roc_auc or rmse; accuracy or mae by default.",
    ),
]
Space = Annotated[
    str | None,
    typer.Option(
        metavar="FILE|JSON",
        help="With --search: by parameter a list of choices or a range, as JSON or the name of a file with it; the "
        "usual space of the estimator by default.",
    ),
]
TimeOfTraining = Annotated[
    float | None,
    typer.Option(
        "--time-limit",
        metavar="SECONDS",
        help="Stop it after so long; the limit of the platform may be lower. With --search: end the search after so "
        "long and take the best so far.",
    ),
]

# By the names of the values.
SEARCH_OPTIONS: dict[str, Any] = {
    "search": Search,
    "trials": Trials,
    "metric": Metric,
    "space": Space,
    "time_limit": TimeOfTraining,
}
