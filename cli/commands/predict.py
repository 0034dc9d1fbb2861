"""The verb that predicts."""

from typing import Annotated

import typer

from cli.commands.options import Json, Url

EXAMPLES = """\b
Examples:
  mlmini predict iris flowers.csv --environment staging --output labelled.csv
  mlmini predict iris flowers.csv --proba > labelled.csv
  zcat flowers.csv.gz | mlmini predict iris - | head
"""


def predict(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="The dataset whose model is asked.")],
    file: Annotated[str, typer.Argument(metavar="FILE", help="A CSV file, or - for standard input.")],
    *,
    environment: Annotated[
        str, typer.Option("--environment", "-e", metavar="STAGE", help="Where the model is active.")
    ] = "production",
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="Where the rows go; - is standard output.")
    ] = "-",
    proba: Annotated[bool, typer.Option("--proba", help="Add one column per class with its probability.")] = False,
    version: Annotated[
        int | None, typer.Option(metavar="N", help="One version that is active there; by default the newest.")
    ] = None,
    target: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="The column to predict, where models of several are active.")
    ] = None,
    column: Annotated[str, typer.Option(metavar="NAME", help="The name of the new column.")] = "prediction",
    url: Url = None,
    json: Json = False,
) -> None:
    """Predict for each row of a CSV file.

    The rows come back with one column more. Columns are found by their names, in any order; others are left as they
    are. A missing cell is a missing value. All rows are predicted by one version. The output file is written whole or
    not at all.

    Delimiter, encoding and gzip are recognised as at an upload; what was said at the upload of the dataset is followed
    where it fits the file. Save a workbook, Parquet or JSON as CSV first.
    """
    from cli.actions.predicting import Question, predict_table
    from cli.actions.session import connected

    question = Question(dataset, environment, version=version, target=target, probabilities=proba, column=column)
    with connected(url, as_json=json) as (client, streams):
        predict_table(client, streams, question, source=file, target=output)
