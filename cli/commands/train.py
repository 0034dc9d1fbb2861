"""The verb that trains."""

from typing import Annotated, Any

import typer

from cli.commands.further import OPTIONS, fields_of
from cli.commands.options import JOB_OPTIONS, Detach, IdempotencyKey, Json, Url, limits_asked, taking
from cli.commands.search import SEARCH_OPTIONS

EXAMPLES = """\b
Examples:
  mlmini train iris --example --model ensemble.RandomForestClassifier
  mlmini train flowers --target species \\
    --model linear_model.LogisticRegression --param C=0.5 --param max_iter=500
  mlmini train flowers --target species --model ensemble.BaggingClassifier \\
    --param 'estimator={"module": "svm", "class": "SVC", "params": {"C": 2}}'
  mlmini train flowers --target species --feature petal_length \\
    --feature petal_width --model tree.DecisionTreeClassifier --detach --json
  mlmini train visits --target ill --model ensemble.RandomForestClassifier \\
    --split grouped --by patient
  mlmini train flowers --target species --model svm.SVC \\
    --model naive_bayes.GaussianNB
  mlmini train flowers --target species --models auto
  mlmini train visits --target ill --model ensemble.RandomForestClassifier \\
    --threshold cost:1,5 --positive yes
  mlmini train flowers --target species --model tree.ExtraTreeClassifier \\
    --search random --trials 20 --metric log_loss --time-limit 60
"""

Dataset = Annotated[str, typer.Argument(metavar="DATASET", help="The dataset to learn from.")]
Model = Annotated[
    list[str] | None,
    typer.Option(
        metavar="MODULE.CLASS",
        help="The estimator, as scikit-learn names it, or a model as JSON; see `mlmini estimators`. "
        "Several are trained in one job and ranked.",
    ),
]
Models = Annotated[
    str | None, typer.Option(metavar="auto", help="Instead of --model: train those that are usual for such a target.")
]
Target = Annotated[str | None, typer.Option(metavar="COLUMN", help="The column to predict; 'target' for an example.")]
Param = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=VALUE", help="A parameter of the estimator, as JSON or else as text; repeatable."),
]
Feature = Annotated[
    list[str] | None,
    typer.Option(metavar="COLUMN", help="A column to learn from, all others by default; repeatable."),
]
Example = Annotated[bool, typer.Option("--example", help="DATASET is bundled: iris, wine, breast_cancer or diabetes.")]
DatasetVersion = Annotated[
    int | None, typer.Option(metavar="N", help="The version of the dataset; by default the newest.")
]
TestSize = Annotated[
    float | None, typer.Option(metavar="SHARE", help="The share of rows to measure on; 0.2 by default.")
]
Split = Annotated[
    str | None,
    typer.Option(
        metavar="METHOD",
        help="How these rows are chosen: random (the default), grouped or time, the last two with --by.",
    ),
]
By = Annotated[str | None, typer.Option(metavar="COLUMN", help="The column of the groups, or of the time.")]
Folds = Annotated[
    int | None, typer.Option(metavar="N", help="On how many folds of the other rows the training is repeated; 0: none.")
]
RandomState = Annotated[
    int | None, typer.Option(metavar="N", help="The seed of the split and of the estimator; 42 by default.")
]
Weight = Annotated[
    str | None, typer.Option(metavar="COLUMN", help="The column that says how much each row counts in the fit.")
]
Preprocessing = Annotated[
    str | None,
    typer.Option(
        metavar="none|JSON", help="Give the columns to the estimator as they are, or say by column what is to be done."
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would run, and every problem.")]


@taking("job", JOB_OPTIONS)
@taking("further", OPTIONS | SEARCH_OPTIONS)
def train(
    dataset: Dataset,
    *,
    model: Model = None,
    models: Models = None,
    target: Target = None,
    param: Param = None,
    feature: Feature = None,
    example: Example = False,
    dataset_version: DatasetVersion = None,
    weight: Weight = None,
    preprocessing: Preprocessing = None,
    test_size: TestSize = None,
    split: Split = None,
    by: By = None,
    folds: Folds = None,
    random_state: RandomState = None,
    further: dict[str, Any],
    job: dict[str, Any],
    dry_run: DryRun = False,
    detach: Detach = False,
    idempotency_key: IdempotencyKey = None,
    url: Url = None,
    json: Json = False,
) -> None:
    """Fit an estimator to a dataset and register it as a new model, or several and rank them.

    Waits for the job; Ctrl-C ends the waiting and not the job. The exit status is 1 when it fails or is refused.
    """
    from cli.actions import training

    table: dict[str, Any] = {"target_column": target, "features": feature or None, "dataset_version": dataset_version}
    columns: dict[str, Any] = {"sample_weight": weight, "preprocessing": preprocessing, "random_state": random_state}
    rows: dict[str, Any] = {"test_size": test_size, "split": split, "by": by, "folds": folds}
    search = {name: further.pop(name) for name in SEARCH_OPTIONS}
    limits = limits_asked(job, search.pop("time_limit"))
    asked: dict[str, Any] = {"priority": job["priority"], "pool": job["pool"], "limits": limits, "search": search}
    fitted: dict[str, Any] = {"model": model or [], "models": models, "params": param or [], "use_example": example}
    request = training.training_request(dataset, **fitted, **table, **columns, **rows, **fields_of(further), **asked)
    training.train(url, request, key=idempotency_key, dry_run=dry_run, detach=detach, as_json=json)
