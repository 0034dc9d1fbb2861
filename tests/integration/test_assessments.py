"""What evaluations tell is kept with the models, and goes with them; on both databases."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from shared.database import Database
from shared.evaluation.assessment import Assessment
from shared.object_store import open_store
from shared.registry.assessments import find_assessment
from shared.registry.deployments import retire
from shared.registry.erasure import erase_model
from shared.registry.rows import AssessmentRow, RegistryRow
from shared.settings import Settings
from tests.support.assessments import of_labels, of_numbers
from tests.support.models import Fitted, Platform, doubling, open_platform


@pytest.fixture
def platform(database: Database, settings: Settings, tmp_path: Path) -> Platform:
    store = open_store(settings)
    store.prepare()
    return open_platform(database, store, settings, tmp_path)


def rows(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(AssessmentRow)) or 0


@pytest.mark.parametrize(
    "assessment", [of_labels("no", "yes"), of_labels(0, 1, 2), of_labels(True, False), of_numbers()]
)
def test_what_is_kept_is_what_was_told(platform: Platform, assessment: Assessment) -> None:
    version = platform.train(platform.dataset(), replace(doubling(), assessment=assessment))
    with platform.database.read() as session:
        assert find_assessment(session, version) == assessment


def test_a_model_of_an_older_release_has_none(platform: Platform) -> None:
    version = platform.train(platform.dataset())
    with platform.database.read() as session:
        assert find_assessment(session, version) is None


def test_it_goes_with_its_model(platform: Platform) -> None:
    data = platform.dataset()
    first, second = (platform.train(data, replace(doubling(), assessment=of_numbers())) for _ in range(2))
    with platform.database.write() as session:
        retire(session, version=first, stage="dev", reason=None, stages=platform.settings.stages)
        erase_model(session, first, stages=platform.settings.stages, actor="api")
    with platform.database.read() as session:
        assert session.scalars(select(AssessmentRow.version)).all() == [second]


class _TooMuch(Exception):
    """A fault in the transaction."""


def test_it_comes_with_the_row_of_the_registry_or_not_at_all(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise _TooMuch

    monkeypatch.setattr("shared.registry.versions.add_assessment", fail)
    with pytest.raises(_TooMuch):
        platform.train(platform.dataset(), assessed())
    with platform.database.read() as session:
        assert session.scalars(select(RegistryRow.version)).all() == []
    assert rows(platform.database) == 0


def assessed() -> Fitted:
    return replace(doubling(), assessment=of_numbers())
