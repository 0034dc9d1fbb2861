"""Errors of training, registry and prediction."""

from shared.errors.tree import Conflict, Invalid, Permanent, Unavailable, Unknown


class UnknownColumn(Invalid):
    """The request names a column that the dataset does not have."""


class UnknownEstimator(Invalid):
    """The module and class do not name an estimator of scikit-learn that can be trained here."""


class UnknownParameter(Invalid):
    """The estimator has no parameter of that name."""


class InvalidParameter(Invalid):
    """A parameter has a value that the estimator does not take, or that is not allowed here."""


class TaskMismatch(Invalid):
    """The estimator and the target do not fit: a classifier needs classes, a regressor needs numbers."""


class UnsuitableColumns(Invalid):
    """The input columns do not fit the estimator: none is left to learn from, or one holds values it cannot take."""


class EstimatorNotListed(Unknown):
    """The list of estimators has none of that module and class."""


class SingleClass(Invalid):
    """The target has one class only, so there is nothing to tell apart."""


class InvalidSplit(Invalid):
    """The split leaves too few rows to fit or to measure."""


class UnknownModel(Unknown):
    """No model has that version."""


class UnknownStage(Invalid):
    """The stage is not one of the configured ones."""


class AlreadyInStage(Conflict):
    """The version is active in that stage already."""


class StageSkipped(Conflict):
    """Stages are passed one by one; the version is not active in the stage before."""


class TargetDiffers(Conflict):
    """The version predicts another column than the one that serves or is asked for; `replace_target` lets it serve."""


class NotActive(Conflict):
    """The version is not active in that stage."""


class ArtifactConflict(Permanent):
    """Another file has the name that the artifact would get."""


class ArtifactCorrupt(Permanent):
    """The stored file is not the one that was registered: size, digest or signature differ."""


class ArtifactInRemoval(Unavailable):
    """A janitor is just removing an old file of the name that the artifact would get."""


class ModelUnavailable(Unavailable):
    """The registered model cannot be loaded at present."""


class ModelTooLarge(Conflict):
    """The model takes more memory than the models of an API process may; it can be downloaded, but not served."""


class ModelBusy(Unavailable):
    """The model has more predictions under way than its share of the platform allows; those of other models go on."""


class PredictionTooSlow(Unavailable):
    """The model did not predict within the time that a prediction may take; send fewer rows at a time."""


class NoActiveModel(Conflict):
    """No model of the dataset is active in that environment."""


class InvalidInput(Invalid):
    """The input does not fit the model's signature; `errors` names each wrong cell."""


class MissingNotAllowed(Invalid):
    """A value is missing, and the model cannot take missing values."""


class NoProbabilities(Invalid):
    """Probabilities are asked of a model that does not give any."""
