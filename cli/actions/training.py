"""Verbs that make a job: it is accepted, waited for and judged."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from rich.console import RenderableType

from cli.actions.estimators import split_name
from cli.actions.searching import search_asked
from cli.actions.session import connected
from cli.actions.thresholds import read_threshold
from cli.actions.waiting import Job, check_success, tell_warnings, wait_for
from cli.client import requests as calls
from cli.client.connection import Client
from cli.client.errors import CommandFailed, WrongUsage
from cli.client.request import Call
from cli.render import jobs as job_tables
from cli.render import models as model_tables
from cli.render.output import Output, Show


def training_request(
    dataset_name: str,
    *,
    model: Sequence[str] = (),
    models: str | None = None,
    params: Sequence[str] = (),
    use_example: bool = False,
    limits: Mapping[str, float | None] | None = None,
    preprocessing: str | None = None,
    split: str | None = None,
    by: str | None = None,
    folds: int | None = None,
    threshold: str | None = None,
    positive: str | None = None,
    search: Mapping[str, Any] | None = None,
    **choices: Any,
) -> dict[str, Any]:
    """The request of a training; choices and limits may be None.

    Each `model` is `MODULE.CLASS` or a model as JSON, parameters are `name=value` and come on top of those in JSON.
    With a method of `search`, the seconds of `limits` are the time of the search.
    `models` is the word for the usual ones, instead.

    Raises:
        WrongUsage: when a model, a parameter, the preprocessing or the threshold is not of that form, or there is not
            one of `model` and `models`; also what `search_asked` raises.
    """
    bounds = dict(limits or {})
    sought = search_asked(search or {}, bounds.get("seconds"))
    if sought is not None:
        bounds.pop("seconds", None)
    chosen = {
        "use_example": use_example or None,
        "limits": _given(bounds) or None,
        "search": sought,
        "preprocessing": None if preprocessing is None else _read_preprocessing(preprocessing),
        "split": _given({"method": split, "by": by, "folds": folds}) or None,
        "threshold": read_threshold(threshold, positive),
    }
    return {"dataset_name": dataset_name, **_fitted(model, models, params), **_given(chosen | choices)}


def _read_preprocessing(text: str) -> Any:
    """A word, or an object by column."""
    if not text.lstrip().startswith("{"):
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise WrongUsage(f"--preprocessing is not JSON: {error}. It is 'none', or an object by column.") from None


def train(
    url: str | None, request: dict[str, Any], *, key: str | None, dry_run: bool, detach: bool, as_json: bool
) -> None:
    """Train, or show what a training would do.

    Raises:
        CommandFailed: when it is refused, or does not succeed.
    """
    with connected(url, as_json=as_json) as (client, output):
        if dry_run:
            _rehearse(client, output, calls.train(request, dry_run=True))
            return

        def made(job: Job) -> RenderableType:
            return model_tables.made(job, client.get(calls.model(job["result"]["version"])))

        run_job(client, output, calls.train(request, key=key), detach=detach, show=made)


def run_job(client: Client, output: Output, call: Call, *, detach: bool, show: Show) -> None:
    """Have a job accepted, wait for it unless detached, and give it.

    Raises:
        CommandFailed: when it does not succeed; also what `wait_for` raises.
    """
    job: Job = client.get(call)
    if detach:
        output.give(job, job_tables.accepted)
        return
    if job["status"] == "succeeded":
        output.tell(f"The same was trained before, by the job {job['job_id']}.")
    tell_warnings(output, job)
    (job,) = wait_for(client, output, [job], [job_tables.title(job)])
    give_ended(output, job, show)


def give_ended(output: Output, job: Job, show: Show) -> None:
    """Give a job that has ended.

    Raises:
        CommandFailed: when it did not succeed.
    """
    if output.as_json:
        output.write(job)
    check_success(job)
    if not output.as_json:
        # Of a job whose data were erased, there is no result left to show.
        output.show(job_tables.job_details(job) if job.get("erased_at") else show(job))


def _rehearse(client: Client, output: Output, call: Call) -> None:
    answer = client.get(call)
    output.give(answer, job_tables.dry_run)
    if not answer["valid"]:
        raise CommandFailed("This training would be refused.")


def _given(choices: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in choices.items() if value is not None}


def _fitted(model: Sequence[str], models: str | None, params: Sequence[str]) -> dict[str, Any]:
    if bool(model) is (models is not None):
        raise WrongUsage("Name what to train with --model, once or several times, or with --models auto.")
    if params and len(model) != 1:
        raise WrongUsage("--param is for one --model. Write each of several as JSON, with its 'params'.")
    if models is not None:
        return {"models": models}
    if len(model) == 1:
        return {"model": _read_estimator(model[0], params)}
    return {"models": [_read_estimator(each, ()) for each in model]}


def _read_estimator(text: str, params: Sequence[str]) -> dict[str, Any]:
    model = _read_model(text)
    read: dict[str, Any] = {}
    for param in params:
        key, equals, value = param.partition("=")
        if not key or not equals:
            raise WrongUsage(f"--param is name=value, such as n_estimators=100, and not '{param}'.")
        if key in read:
            raise WrongUsage(f"--param {key} is given twice.")
        read[key] = _value(value)
    params_of_model = model.get("params", {})
    if read and not isinstance(params_of_model, dict):
        raise WrongUsage("'params' of the model must be an object, so that --param can add to it.")
    return {**model, "params": {**params_of_model, **read} if read else params_of_model}


def _read_model(text: str) -> dict[str, Any]:
    if not text.lstrip().startswith("{"):
        module, name = split_name(text)
        return {"module": module, "class": name}
    model = _value(text)
    if not isinstance(model, dict):
        raise WrongUsage(f"--model begins like JSON, but is none: {text}")
    return model


def _value(text: str) -> Any:
    """The JSON value that the text is, else the text."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except ValueError:
        return text


def _no_constant(word: str) -> NoReturn:
    # NaN and Infinity are not JSON, though Python reads them.
    raise ValueError(word)
