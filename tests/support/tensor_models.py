"""What the clients of other servers of models ask for: a model in each stage, one of them of a table of all kinds."""

from pathlib import Path

from api.parts import Parts
from tests.support.models import Fitted, Platform, doubling
from tests.support.training_tables import dirty, trained


def furnish(parts: Parts, folder: Path) -> None:
    """Iris in production, doubling in dev, and a table of all kinds of columns in staging."""
    platform = Platform(parts.database, parts.store, parts.settings, parts.key, folder)
    platform.train(platform.dataset())
    for stage in ("staging", "production"):
        platform.promote(1, stage)
    platform.train(platform.dataset("doubling"), doubling(), name="doubling")
    result = trained("ensemble.HistGradientBoostingClassifier", dirty())
    fitted = Fitted(result.model, result.facts.signature, result.facts.environment)
    version = platform.train(platform.dataset("customers"), fitted, name="customers")
    platform.promote(version, "staging", name="customers")
