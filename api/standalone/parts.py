"""What the endpoints of a server of one model work with."""

from dataclasses import dataclass
from pathlib import Path

from fastapi import Request

from api.access.credentials import GivenHeaders
from api.lanes import Lanes
from api.predicting import Predicting
from api.standalone.keys import ServeKeys
from shared.accounts.sight import ALL_SEEING, Sight
from shared.exported.serving import ExportedModel
from shared.prediction.loaded import ServingPlace
from shared.settings import Settings


@dataclass(frozen=True)
class StandaloneParts:
    """The `PredictingParts` of a server of one model. Belongs to one event loop."""

    settings: Settings
    keys: ServeKeys
    cache: ExportedModel
    predicting: Predicting
    lanes: Lanes
    spool_folder: Path

    def admits(self, given: GivenHeaders) -> Sight | None:
        """Full sight for whoever may ask, and None for others, whom the gate will refuse."""
        return ALL_SEEING if self.keys.admit(tuple(given.items())) else None

    def active_versions(self, place: ServingPlace) -> list[int]:
        """The one version."""
        return [self.cache.predictor.version] if place.of_any_target == self.cache.place else []


def place_of_model(request: Request) -> ServingPlace:
    """The place of the one model."""
    parts: StandaloneParts = request.app.state.parts
    return parts.cache.place
