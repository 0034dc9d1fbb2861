"""The API's sentences for those who use the command line: calls of HTTP become verbs, fields options."""

import re
from urllib.parse import parse_qsl

from cli.client.fields import in_options

# A call as the sentences of the API write it, with or without quotes; a full stop behind it is not part of it.
_CALL = re.compile(r"`?\b(GET|POST|PATCH|DELETE) (/[\w/?=&.{}-]*[\w}])`?")
_VERBS = [
    (re.compile(pattern), verb)
    for pattern, verb in {
        "GET /datasets": "datasets list",
        "GET /datasets/([^/]+)": "datasets show {0}",
        "GET /datasets/([^/]+)/versions": "datasets versions {0}",
        "GET /datasets/([^/]+)/diff": "datasets diff {0}",
        "PATCH /datasets/([^/]+)": "datasets give {0}",
        "DELETE /datasets/([^/]+)": "datasets delete {0}",
        "PATCH /users/([^/]+)": "users teams {0}",
        "GET /users": "users list",
        "POST /datasets/upload": "datasets upload",
        "POST /datasets/([^/]+)/reread": "datasets reread {0}",
        "GET /estimators": "estimators",
        "GET /estimators/([^/]+)/([^/]+)": "estimators {0}.{1}",
        "GET /readyz": "doctor",
        "GET /jobs": "jobs list",
        "GET /jobs/([^/]+)": "jobs show {0}",
        "GET /jobs/([^/]+)/logs": "jobs logs {0}",
        "POST /jobs/([^/]+)/(cancel|retry)": "jobs {1} {0}",
        "GET /models": "models list",
        "GET /models/([^/]+)": "models show {0}",
        "GET /models/([^/]+)/(report|card)": "models {1} {0}",
        "PATCH /models/([^/]+)": "models annotate {0}",
        "DELETE /models/([^/]+)": "models erase {0}",
        "POST /models/[^/]+/(retire)": "{0}",
        "POST /models/([^/]+)/reproduce": "models reproduce {0}",
        "POST /(train|promote|predict)": "{0}",
        "POST /predict/batch": "predict --batch",
    }.items()
]
_OPTIONS = {
    "dataset_name": "--dataset",
    "stage": "--stage",
    "from": "--from",
    "to": "--to",
    "dry_run": "--dry-run",
    "archive": "--archive",
    "erase": "--erase",
    "wait": "--wait",
}
# Options without a value, whatever the call of HTTP gives them.
_FLAGS = {"dry_run", "archive", "erase", "wait"}


def in_verbs(sentence: str) -> str:
    """The sentence with the verb of `mlmini` in the place of each call that has one, and the option of each field."""
    return in_options(_CALL.sub(_verb, sentence))


def _verb(call: re.Match[str]) -> str:
    path, _, query = call[2].partition("?")
    asked = dict(parse_qsl(query))
    for pattern, verb in _VERBS:
        if (found := pattern.fullmatch(f"{call[1]} {path}")) and asked.keys() <= _OPTIONS.keys():
            words = [verb.format(*found.groups())]
            for name, value in asked.items():
                words += [_OPTIONS[name]] if name in _FLAGS else [_OPTIONS[name], value]
            return f"`mlmini {' '.join(words)}`"
    return call[0]
