"""The kinds of object and their buckets."""

from enum import StrEnum

from shared.settings import Settings

# What to look at when a bucket is not the right one.
BUCKET_SETTINGS = "MLMINI_DATASETS_BUCKET, MLMINI_MODELS_BUCKET or MLMINI_PREDICTIONS_BUCKET"


class Shelf(StrEnum):
    """The kinds of object, whatever the settings call their buckets."""

    DATASETS = "datasets"
    MODELS = "models"
    PREDICTIONS = "predictions"


def bucket_of(shelf: Shelf, settings: Settings) -> str:
    """What the settings call the bucket."""
    return {
        Shelf.DATASETS: settings.datasets_bucket,
        Shelf.MODELS: settings.models_bucket,
        Shelf.PREDICTIONS: settings.predictions_bucket,
    }[shelf]


def buckets_of(settings: Settings) -> tuple[str, ...]:
    """What the settings call the buckets, in the order of the kinds."""
    return tuple(bucket_of(shelf, settings) for shelf in Shelf)
