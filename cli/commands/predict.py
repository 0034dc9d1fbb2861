"""The verb that predicts."""

from typing import Annotated, Any

import typer

from cli.commands.options import JOB_OPTIONS, Detach, IdempotencyKey, Json, TimeLimit, Url, limits_asked, taking

EXAMPLES = """\b
Examples:
  mlmini predict iris flowers.csv --environment staging --output labelled.csv
  mlmini predict iris flowers.csv --proba > labelled.csv
  mlmini predict houses houses.csv --interval --output priced.csv
  zcat flowers.csv.gz | mlmini predict iris - | head
  mlmini predict iris flowers --batch --keep id --output labelled.csv
"""

Dataset = Annotated[str, typer.Argument(metavar="DATASET", help="The dataset whose model is asked.")]
File = Annotated[
    str, typer.Argument(metavar="FILE", help="A CSV file, or - for standard input; with --batch, a dataset.")
]
Environment = Annotated[str, typer.Option("--environment", "-e", metavar="STAGE", help="Where the model is active.")]
Where = Annotated[str, typer.Option("--output", "-o", metavar="FILE", help="Where the rows go; - is standard output.")]
Proba = Annotated[bool, typer.Option("--proba", help="Add one column per class with its probability.")]
Interval = Annotated[
    bool,
    typer.Option("--interval", help="Add the ends, or the labels, that hold the truth for a promised share of rows."),
]
Version = Annotated[
    int | None, typer.Option(metavar="N", help="One version that is active there; by default the newest.")
]
Target = Annotated[
    str | None, typer.Option(metavar="COLUMN", help="The column to predict, where models of several are active.")
]
NewColumn = Annotated[str, typer.Option(metavar="NAME", help="The name of the new column.")]
Batch = Annotated[bool, typer.Option("--batch", help="Have a job predict for all rows of a dataset.")]
Keep = Annotated[
    list[str] | None,
    typer.Option(metavar="COLUMN", help="With --batch: a column of the input that the output repeats; repeatable."),
]
Format = Annotated[
    str | None, typer.Option("--format", metavar="FORMAT", help="With --batch: csv, the default, or parquet.")
]
InputVersion = Annotated[
    int | None, typer.Option(metavar="N", help="With --batch: the version of the input; by default the newest.")
]
Neutralise = Annotated[
    bool,
    typer.Option(
        "--neutralise-formulas",
        help="With --batch: an apostrophe before texts that a program for tables would compute.",
    ),
]


@taking("job", JOB_OPTIONS)
def predict(
    dataset: Dataset,
    file: File,
    *,
    environment: Environment = "production",
    output: Where = "-",
    proba: Proba = False,
    interval: Interval = False,
    version: Version = None,
    target: Target = None,
    column: NewColumn = "prediction",
    batch: Batch = False,
    keep: Keep = None,
    form: Format = None,
    input_version: InputVersion = None,
    neutralise_formulas: Neutralise = False,
    time_limit: TimeLimit = None,
    job: dict[str, Any],
    detach: Detach = False,
    idempotency_key: IdempotencyKey = None,
    url: Url = None,
    json: Json = False,
) -> None:
    """Predict for each row of a CSV file, or with --batch of a dataset.

    The rows come back with one column more, by one version; the output file is written whole or not at all. Columns are
    found by their names, in any order. Delimiter, encoding and gzip are recognised as at an upload of the dataset.

    With --batch a job on the platform predicts, and a row that cannot be predicted has an error in its line. Ctrl-C
    ends the waiting and not the job.
    """
    from cli.actions.batch import BatchChoices, ask
    from cli.actions.predicting import Question

    limits = limits_asked(job, time_limit)
    choices = BatchChoices(keep, form, input_version, neutralise_formulas, job, limits, detach, idempotency_key)
    asked: dict[str, Any] = {"version": version, "target": target, "probabilities": proba, "intervals": interval}
    question = Question(dataset, environment, **asked, column=column)
    ask(url, question, choices.of_batch(batch), source=file, target=output, as_json=json)
