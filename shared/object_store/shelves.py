"""The two kinds of object and their buckets."""

from enum import StrEnum

from shared.settings import Settings


class Shelf(StrEnum):
    """The two kinds of object, whatever the settings call their buckets."""

    DATASETS = "datasets"
    MODELS = "models"


def bucket_of(shelf: Shelf, settings: Settings) -> str:
    """What the settings call the bucket."""
    return settings.datasets_bucket if shelf is Shelf.DATASETS else settings.models_bucket
