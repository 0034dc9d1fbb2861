"""Options that several verbs have."""

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Annotated, Any, get_args

import typer

Verb = Callable[..., None]

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
Cpus = Annotated[
    int | None,
    typer.Option(metavar="N", help="How many cores it may use; by default its share of those of the worker."),
]
Pool = Annotated[
    str | None, typer.Option(metavar="NAME", help="Have a worker of this pool run it; by default one of 'default'.")
]
# By the names of the values: when a job comes, and what it may use beside its time.
JOB_OPTIONS: dict[str, Any] = {"priority": Priority, "pool": Pool, "memory_limit": MemoryLimit, "cpus": Cpus}


def limits_asked(job: Mapping[str, Any], seconds: float | None) -> dict[str, float | None]:
    """The limits of a request, from the values of `JOB_OPTIONS` and a time."""
    return {"seconds": seconds, "memory_mb": job["memory_limit"], "cpus": job["cpus"]}


def taking(group: str, options: Mapping[str, Any]) -> Callable[[Verb], Verb]:
    """Give a verb options by their names in the place of its own parameter `group`, which gets their values by name.

    One that is not given is None, or false where it has no value.
    """

    def give(verb: Verb) -> Verb:
        own = inspect.signature(verb)
        parameters: list[inspect.Parameter] = []
        for parameter in own.parameters.values():
            if parameter.name != group:
                parameters.append(parameter)
                continue
            for name, option in options.items():
                default = False if get_args(option)[0] is bool else None
                parameters.append(parameter.replace(name=name, annotation=option, default=default))

        @wraps(verb)
        def run(**given: Any) -> None:
            said = {name: given.pop(name) for name in options}
            verb(**given, **{group: said})

        # Typer asks for it to find the options.
        run.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined] # typer reads it
        return run

    return give
