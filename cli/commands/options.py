"""Options that several verbs have."""

from typing import Annotated

import typer

Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        envvar="MLMINI_URL",
        show_envvar=True,
        metavar="URL",
        help="Where the API is; by default the platform that runs on this machine.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Write the API's JSON and nothing else.")]
Done = Annotated[bool, typer.Option("--json", help="Write what was done as JSON and nothing else.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask at a terminal whether this is meant.")]
Limit = Annotated[int, typer.Option("--limit", min=1, metavar="N", help="The most to list.")]
Priority = Annotated[
    int | None,
    typer.Option("--priority", min=0, max=9, metavar="N", help="0 to 9, lower goes first; 5 by default."),
]
Detach = Annotated[bool, typer.Option("--detach", help="Do not wait for the job to end.")]
IdempotencyKey = Annotated[
    str | None,
    typer.Option(
        "--idempotency-key",
        metavar="KEY",
        help="The same key with the same request never makes a second job; by default each call has a new key.",
    ),
]
TimeLimit = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", help="Stop it after so long; the limit of the platform may be lower."),
]
MemoryLimit = Annotated[
    int | None,
    typer.Option(metavar="MIB", help="The most memory that it may use; the limit of the platform may be lower."),
]
