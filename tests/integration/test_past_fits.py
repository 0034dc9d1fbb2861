"""What a fit is expected to take, by the registry, on both databases."""

from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session

from shared.database import Database
from shared.datasets.rows import DatasetVersionRow
from shared.estimators.catalogue import find_estimator
from shared.jobs.acceptance import accept
from shared.jobs.states import Kind
from shared.registry.past_fits import expected_fit_seconds
from shared.registry.rows import RegistryRow
from shared.training.spec import EstimatorChoice, TrainingSpec
from tests.support.registry import insert_dataset

SVC = {name: parameter.default for name, parameter in find_estimator("svm", "SVC").parameters.items()}


def spec(**params: Any) -> TrainingSpec:
    choice = EstimatorChoice(module="svm", class_="SVC", params=params)
    return TrainingSpec(dataset_name="iris", dataset_version=1, model=choice, target_column="target")


def table(session: Session, name: str, *, rows: int, columns: int = 4) -> DatasetVersionRow:
    """A dataset of that size."""
    row = session.get_one(DatasetVersionRow, insert_dataset(session, name).version_id)
    row.rows, row.columns = rows, [{}] * columns
    session.flush()
    return row


def fitted(
    session: Session,
    source: DatasetVersionRow,
    version: int,
    seconds: float | None,
    *,
    key: str = "svm.SVC",
    **params: Any,
) -> None:
    """A model whose fit took so long."""
    job = accept(session, kind=Kind.TRAIN, request={}, dataset_name="iris", dataset_version_id=None)
    session.add(
        RegistryRow(
            version=version,
            dataset_id=source.dataset_id,
            dataset_version_id=source.id,
            job_id=job.id,
            stage="dev",
            artifact_path=f"{uuid4()}",
            estimator=key,
            parameters=SVC | params,
            metrics={},
            signature={"target": "target"},
            report={} if seconds is None else {"fit_seconds": seconds},
            environment={},
        )
    )
    session.flush()


def test_without_a_past_fit_nothing_is_expected(database: Database) -> None:
    with database.write() as session:
        source = table(session, "iris", rows=100)
        fitted(session, source, 1, 5.0, key="svm.SVR")
        fitted(session, source, 2, None)
        assert expected_fit_seconds(session, spec(), source) is None


def test_a_fit_to_the_same_table_is_the_best_guide_then_like_parameters_then_the_newest(database: Database) -> None:
    with database.write() as session:
        source, other = table(session, "iris", rows=100), table(session, "other", rows=100)
        fitted(session, source, 1, 1.0)
        fitted(session, source, 2, 2.0)
        fitted(session, source, 3, 30.0, C=1000.0)
        fitted(session, other, 4, 400.0)
        fitted(session, other, 5, 500.0, C=5.0)
        assert expected_fit_seconds(session, spec(), source) == 2.0
        assert expected_fit_seconds(session, spec(C=1000.0), source) == 30.0
        assert expected_fit_seconds(session, spec(C=5.0), source) == 30.0


def test_only_the_newest_twenty_fits_are_compared(database: Database) -> None:
    with database.write() as session:
        source, other = table(session, "iris", rows=100), table(session, "other", rows=100)
        fitted(session, source, 1, 1.0)
        for version in range(2, 21):
            fitted(session, other, version, 10.0)
        assert expected_fit_seconds(session, spec(), source) == 1.0
        fitted(session, other, 21, 10.0)
        assert expected_fit_seconds(session, spec(), source) == 10.0


def test_a_fit_says_nothing_a_thousand_models_later(database: Database) -> None:
    with database.write() as session:
        source = table(session, "iris", rows=100)
        fitted(session, source, 1, 1.0)
        fitted(session, source, 1000, 2.0, key="svm.SVR")
        assert expected_fit_seconds(session, spec(), source) == 1.0
        fitted(session, source, 1001, 2.0, key="svm.SVR")
        assert expected_fit_seconds(session, spec(), source) is None


def test_a_fit_to_another_table_counts_by_its_size(database: Database) -> None:
    with database.write() as session:
        source, other = table(session, "iris", rows=300, columns=10), table(session, "other", rows=100, columns=5)
        fitted(session, other, 1, 2.0)
        assert expected_fit_seconds(session, spec(), source) == 12.0
