"""The API's names of fields for those who use the command line: they become options and arguments."""

import re
from collections.abc import Sequence

# What stands for a field of a body or of an upload, and for a parameter of a query.
_BODY = {
    "batches": "--batches",
    "batches.passes": "--passes",
    "batches.rows": "--batches",
    "dataset_name": "DATASET",
    "dataset_version": "--dataset-version",
    "decimal": "--decimal",
    "delimiter": "--delimiter",
    "description": "--description",
    "encoding": "--encoding",
    "environment": "--environment",
    "features": "--feature",
    "gap_words": "--gap-word",
    "format": "--format",
    "header": "--header",
    "input.dataset_name": "FILE",
    "input.dataset_version": "--input-version",
    "keep": "--keep",
    "kinds": "--kind",
    "learning_curve": "--learning-curve",
    "limits.cpus": "--cpus",
    "limits.memory_mb": "--memory-limit",
    "limits.seconds": "--time-limit",
    "model": "--model",
    "models": "--model",
    "name": "--name",
    "names": "--names",
    "neutralise_formulas": "--neutralise-formulas",
    "note": "--note",
    "pool": "--pool",
    "priority": "--priority",
    "quote": "--quote",
    "random_state": "--random-state",
    "reason": "--reason",
    "replace_target": "--replace-target",
    "preprocessing": "--preprocessing",
    "reuse": "--reuse",
    "sample_weight": "--weight",
    "search.method": "--search",
    "search.metric": "--metric",
    "search.space": "--space",
    "search.time_limit": "--time-limit",
    "search.trials": "--trials",
    "split.by": "--by",
    "split.folds": "--folds",
    "split.method": "--split",
    "stage": "STAGE",
    "tags": "--tag",
    "team": "--team",
    "target_column": "--target",
    "target_stage": "STAGE",
    "test_size": "--test-size",
    "threshold": "--threshold",
    "threshold.positive": "--positive",
    "thousands": "--thousands",
    "use_example": "--example",
    "version": "VERSION",
}
_QUERY = {
    "archive": "--archive",
    "column": "--column",
    "dataset_name": "--dataset",
    "dry_run": "--dry-run",
    "environment": "--environment",
    "erase": "--erase",
    "estimator": "--estimator",
    "interval": "--interval",
    "kind": "--kind",
    "limit": "--limit",
    "module": "--module",
    "proba": "--proba",
    "rows": "--rows",
    "sort": "--sort",
    "stage": "--stage",
    "status": "--status",
    "tag": "--tag",
    "target": "--target",
    "task": "--task",
    "version": "--version",
    "versions": "VERSION...",
}
_HEADERS = {"Idempotency-Key": "--idempotency-key"}
_SOURCES = {"body": _BODY, "query": _QUERY, "header": _HEADERS}
_PARAM = "model.params."

# Where a sentence names a field: `Field 'limits.seconds'`.
_PLACE = re.compile(r"\b(Field|Query parameter|Header parameter) '([^']+)'")
_SOURCE_OF = {"Field": "body", "Query parameter": "query", "Header parameter": "header"}

# Names that stand for themselves wherever they are quoted, if what is before does not say that it is a column's. The
# others are usual words and names of columns, and are looked for in their phrases only.
_CLEAR = {
    name: _BODY.get(name) or _QUERY[name]
    for name in (
        *(
            "archive",
            "dataset_version",
            "dry_run",
            "erase",
            "features",
            "limits.cpus",
            "limits.memory_mb",
            "limits.seconds",
        ),
        *("random_state", "replace_target", "target_column", "test_size", "use_example", "versions"),
        *("keep", "neutralise_formulas", "preprocessing", "sample_weight", "threshold"),
        *("batches", "batches.passes", "batches.rows"),
        *("search.method", "search.metric", "search.space", "search.time_limit", "search.trials", "split.folds"),
        *("encoding", "delimiter", "quote", "decimal", "thousands", "header", "names", "gap_words", "kinds"),
    )
} | {
    "by": "--by",
    "folds": "--folds",
    "positive": "--positive",
    "from": "--from",
    "to": "--to",
    "search": "--search",
    "split": "--split",
}
_NAMED = re.compile(rf"(?<!olumn )(?<!predicts )(?<!mean )(['`])({'|'.join(map(re.escape, _CLEAR))})\1")
_PHRASES = [
    (re.compile(pattern), words)
    for pattern, words in {
        r"(['`])probability\1 out of \1return\1": "--proba out",
        r"(['`])interval\1 (?=out\b|of a prediction)": "--interval ",
        r"\bwith (['`])(column|target)\1": r"with --\2",
        r"\bas (['`])target\1": "with --target",
        r"\bin (['`])features\1": "with --feature",
        r"\bin (['`])models?\1": "with --model",
        r"\bof (['`])models\1": "of --model",
        r"\bin the field (['`])name\1": "with --name",
        r"^'version' must": "--version must",
        # The command line sends files only.
        r"^The body is (.*), not CSV\.": r"The file is \1, not CSV.",
        r", or send its rows as JSON in (['`])input_data\1": "",
        # An empty list is an option of its own.
        r"\[\] (keeps|for none)": r"--no-gap-words \1",
        r"; (['`])errors\1 lists [^.)]*": "",
        r" more in (['`])errors\1": " more",
        r"\b(header )?Idempotency-Key\b": "option --idempotency-key",
    }.items()
]
# Fields are sent, options are given.
_SENT = re.compile(r"\b[Ss]end(?= --)")
_TRUE = re.compile(r'(Send )?`?"(\w+)": true`?')
_VERSIONS = re.compile(r"'versions=([\d,]+)'")


def in_options(sentence: str) -> str:
    """The sentence with the option or the argument of `mlmini` in the place of each field that has one."""
    sentence = _PLACE.sub(lambda found: _option(_SOURCE_OF[found[1]], found[2]) or found[0], sentence)
    sentence = _TRUE.sub(lambda found: f"{'Give ' if found[1] else ''}{_BODY.get(found[2], found[0])}", sentence)
    sentence = _VERSIONS.sub(lambda found: f"`mlmini models compare {found[1].replace(',', ' ')}`", sentence)
    for pattern, words in _PHRASES:
        sentence = pattern.sub(words, sentence)
    sentence = _NAMED.sub(lambda found: _CLEAR[found[2]], sentence)
    return _SENT.sub(lambda found: "Give" if found[0] == "Send" else "give", sentence)


def option_at(loc: Sequence[str | int]) -> str:
    """The option or the argument for a place in a request; the place itself, as in `body.a.0`, if there is none."""
    source, *path = map(str, loc)
    return _option(source, ".".join(path)) or ".".join([source, *path])


def _option(source: str, name: str) -> str | None:
    if source == "body" and name.startswith(_PARAM):
        return f"--param {name.removeprefix(_PARAM)}"
    options = _SOURCES.get(source, {})
    # An item of a list belongs to the option of the list.
    while name not in options and "." in name:
        name = name.rpartition(".")[0]
    return options.get(name)
