"""Errors of training, registry and prediction."""

from shared.errors.tree import Conflict, Gone, Invalid, Permanent, Unavailable, Unknown


class UnknownColumn(Invalid):
    """The request names a column that the dataset does not have."""

    hint = "Look at `GET /datasets/{name}` for its columns; upper and lower case count."


class UnknownEstimator(Invalid):
    """The module and class do not name an estimator of scikit-learn that can be trained here."""

    hint = "Look at `GET /estimators`, and give module and class as it does."


class LibraryNotInstalled(Invalid):
    """The estimator, or the search, needs a library that is not installed with the API and with the workers."""

    hint = (
        "Install the extra that brings it, `boosting` or `optuna`, in both places, as docs/estimators.md says, or "
        "choose another estimator or way of searching."
    )


class UnknownParameter(Invalid):
    """The estimator does not have a parameter of that name."""

    hint = "Look at `GET /estimators/{module}/{class}`, which lists those that requests may set."


class InvalidParameter(Invalid):
    """A parameter has a value that the estimator does not take, or that is not allowed here."""

    hint = "Give a value that meets one of the JSON schemas in `allowed` of `GET /estimators/{module}/{class}`."


class TaskMismatch(Invalid):
    """The estimator and the target do not fit: a classifier needs classes, a regressor needs numbers."""

    hint = "Choose the other kind of estimator, or another target column."


class UnsuitableColumns(Invalid):
    """The input columns do not fit the estimator: none is left to learn from, or one holds values it cannot take."""

    hint = "Choose the columns with `features`, or another estimator."


class EstimatorNotListed(Unknown):
    """The list of estimators does not have that module and class."""

    hint = "Look at `GET /estimators`; upper and lower case count."


class SingleClass(Invalid):
    """The target has one class only, so there is nothing to tell apart."""

    hint = "Choose another target column, or add rows of other classes."


class InvalidSplit(Invalid):
    """The split leaves too few rows to fit or to measure."""

    hint = "Choose another `test_size`, or add rows."


class InvalidSearch(Invalid):
    """The search for parameters cannot run as it was asked for: its space, its metric, its trials or its time."""

    hint = "Look at `search` of `POST /train` in /docs, and at docs/search.md, which shows how a space is written."


class UnknownModel(Unknown):
    """There is no model of that version."""

    hint = "Look at `GET /models`; versions are counted through over all datasets."


class ModelErased(Gone):
    """The model of that version was erased for good; its number is never given again."""

    hint = "Choose another version; `GET /models` lists them."


class ModelInUse(Conflict):
    """The model is active in a stage, or a job is about to use it, so that it cannot be erased."""

    hint = "Retire it from every stage, or end the job; then erase it."


class UnknownStage(Invalid):
    """The stage is not one of those that MLMINI_STAGES names."""

    hint = "Take one of those that `available` lists."


class AlreadyInStage(Conflict):
    """The version is active in that stage already."""

    hint = "There is nothing to do; `GET /models/{version}` shows where it is active."


class StageSkipped(Conflict):
    """Stages are passed one by one, and the version is not active in the stage before."""

    hint = "Promote it to the stage before first, and wait for that job."


class TargetDiffers(Conflict):
    """The version predicts another column than the one that serves or is asked for."""

    hint = 'If this is meant, say so with `"replace_target": true`; a prediction chooses with `target`.'


class NotActive(Conflict):
    """The version is not active in that stage."""

    hint = "Look at `deployments` of `GET /models/{version}` for the stages where it is."


class ArtifactConflict(Permanent):
    """Another file has the name that the artifact would get."""

    hint = "Move that object out of the bucket of models, then retry the job."


class ArtifactCorrupt(Permanent):
    """The stored file is not the one that was registered: its size, its digest or its signature differ."""

    hint = (
        "Bring the file back from a backup, or retire the version and train it again. A compiled form is made again by "
        "`mlmini models compile`."
    )


class ArtifactInRemoval(Unavailable):
    """A janitor is removing an old file of the name that the artifact would get."""

    hint = "The job is tried again by itself."


class NotReproducible(Conflict):
    """The training of the model cannot be repeated: its request or its table cannot be had any more."""

    hint = "Train a new version with `POST /train`."


class ModelUnavailable(Unavailable):
    """The registered model cannot be loaded at present."""

    hint = "Do what the detail says about its file; until then, retire the version to let the one before it serve."


class ModelTooLarge(Conflict):
    """The model takes more memory than the models of an API process may; it can be downloaded, but not served."""

    hint = "Train a smaller one, or have the setting raised that `setting` names."


class ModelBusy(Unavailable):
    """The model has more predictions under way than its share of the platform allows; those of other models go on."""

    hint = "Try again later, with fewer requests and more rows in each."


class PredictionTooSlow(Unavailable):
    """The model did not predict within the time that a prediction may take."""

    hint = "Send fewer rows at a time, promote a model that predicts faster, or have MLMINI_PREDICT_SECONDS raised."


class PredictorEnded(Unavailable):
    """The process that computes the predictions of this model died before it answered; those of others go on."""

    hint = "Try again, with fewer rows at a time; if that does not help, promote another model."


class NoActiveModel(Conflict):
    """In that environment, the dataset does not have an active model."""

    hint = "Bring one there with `POST /promote`, or ask an environment where one is."


class InvalidInput(Invalid):
    """The input does not fit the model's signature; `errors` names each wrong cell."""

    hint = "Correct those cells; `signature` of `GET /models/{version}` says what the model takes."


class MissingNotAllowed(Invalid):
    """A value is missing, and the model cannot take missing values."""

    hint = "Send a value, or train on rows with gaps in that column, so that they get filled in."


class NoProbabilities(Invalid):
    """Probabilities are asked of a model that does not give any."""

    hint = "Leave `probability` out of `return`, or train a classifier that `gives_probabilities`."


class NoIntervals(Invalid):
    """Intervals are asked of a model that promises none."""

    hint = (
        "Leave `interval` out, or train the model again: those of older releases promise nothing. Where a new one "
        "does not, a note in its report says why."
    )
