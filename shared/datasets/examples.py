"""Datasets that come with the platform, catalogued when they are first used."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from shared.database import Database
from shared.datasets.catalog import next_number
from shared.datasets.ingestion import Ingestor
from shared.datasets.publishing import Incoming, Ingestion, name_taken
from shared.datasets.rows import DatasetRow, DatasetVersionRow, VersionState
from shared.datasets.spool import Spool, Spooled
from shared.errors import ExampleNameTaken, UnknownExample, closest, meant
from shared.logging import get_logger
from shared.object_store import ObjectStore
from shared.settings import Settings
from shared.tables.inspected import Inspection
from shared.tables.options import ReadingOptions
from shared.tables.reader import Reader

log = get_logger(__name__)

TARGET = "target"

EXAMPLES = {
    "breast_cancer": "Cell nuclei of 569 breast masses, malignant or benign (Wisconsin, 1993).",
    "diabetes": "Ten measures of 442 patients and the progression of their diabetes a year later (2004).",
    "iris": "Four measures of 150 iris flowers of three species (Fisher, 1936).",
    "wine": "Chemical analysis of 178 Italian wines of three growers (1991).",
}

_DATA = Path(__file__).parent / "data"


class Found(NamedTuple):
    """A bundled table with the name and the number of the version that holds it, or would hold it."""

    name: str
    version: int
    inspection: Inspection


def ensure_example(
    name: str, *, database: Database, store: ObjectStore, reader: Reader, settings: Settings
) -> tuple[str, int]:
    """The dataset name and the version number that hold the bundled file, catalogued now if it was not.

    Raises:
        UnknownExample: when there is no such example.
        ExampleNameTaken: when the name holds other data, without the bundled file among its versions.
    """
    bundled = _bundled(name)
    number, archived = _catalogued(database, name, hashlib.sha256(bundled).hexdigest())
    if number is not None:
        if archived:
            _bring_back(database, name)
        return name, number
    done = _ingest(name, bundled, Ingestor(database, store, reader, settings))
    assert done.entry.version.number is not None, "a version that is ready has a number"  # noqa: S101 - an invariant
    return name, done.entry.version.number


def catalogue_example(
    name: str,
    *,
    database: Database,
    store: ObjectStore,
    reader: Reader,
    settings: Settings,
    mark: Callable[[Session], None],
) -> None:
    """Catalogue the bundled file unless the name is in use, and run `mark` in the same transaction.

    If `mark` raises, nothing is kept.
    A dataset of that name stays as it is, whatever it holds and also if it is archived.
    """
    bundled = _bundled(name)
    try:
        number, _ = _catalogued(database, name, hashlib.sha256(bundled).hexdigest())
        if number is None and _ingest(name, bundled, Ingestor(database, store, reader, settings), mark).created:
            return
    except ExampleNameTaken:
        log.info("example_name_in_use", dataset=name)
    with database.write() as session:
        mark(session)


def look_at_example(name: str, *, database: Database, reader: Reader) -> Found:
    """What `ensure_example` would give, without cataloguing anything.

    Raises:
        UnknownExample: when there is no such example.
        ExampleNameTaken: when the name holds other data, without the bundled file among its versions.
    """
    bundled = _bundled(name)
    number, _ = _catalogued(database, name, hashlib.sha256(bundled).hexdigest())
    file = _spooled(bundled, reader.folder)
    try:
        inspection = reader.inspect(file.path)
    finally:
        file.path.unlink(missing_ok=True)
    if number is None:
        with database.read() as session:
            number = next_number(session, name)
    return Found(name, number, inspection)


def _ingest(name: str, bundled: bytes, ingestor: Ingestor, mark: Callable[[Session], None] | None = None) -> Ingestion:
    file = _spooled(bundled, ingestor.reader.folder)
    try:
        incoming = Incoming(file, name, ReadingOptions(), description=EXAMPLES[name])
        return ingestor.ingest(incoming, only_if_new=True, mark=mark)
    finally:
        file.path.unlink(missing_ok=True)


def _bundled(name: str) -> bytes:
    if name not in EXAMPLES:
        near = closest(name, EXAMPLES)
        raise UnknownExample(
            f"There is no example '{name[:80]}'.{meant(near)} The examples are: {', '.join(EXAMPLES)}.",
            did_you_mean=near,
            available=EXAMPLES,
        )
    return (_DATA / f"{name}.csv").read_bytes()


def _catalogued(database: Database, name: str, sha256: str) -> tuple[int | None, bool]:
    """The version with these bytes, None when there is no dataset of that name, and whether it is archived.

    Raises:
        ExampleNameTaken: when there is one without these bytes.
    """
    with database.read() as session:
        dataset = session.scalar(select(DatasetRow).where(DatasetRow.name == name, DatasetRow.location.is_not(None)))
        if dataset is None:
            return None, False
        number = _version_of(session, dataset, sha256)
    if number is None:
        raise name_taken(name)
    return number, dataset.archived_at is not None


def _bring_back(database: Database, name: str) -> None:
    with database.write() as session:
        session.execute(update(DatasetRow).where(DatasetRow.name == name).values(archived_at=None))


def _version_of(session: Session, dataset: DatasetRow, sha256: str) -> int | None:
    """The newest version with these bytes, and of several one that was read as the example is: without options."""
    versions = session.execute(
        select(DatasetVersionRow.number, DatasetVersionRow.options)
        .where(
            DatasetVersionRow.dataset_id == dataset.id,
            DatasetVersionRow.state == VersionState.READY,
            DatasetVersionRow.sha256 == sha256,
        )
        .order_by(DatasetVersionRow.number.desc())
    ).all()
    plain = (version.number for version in versions if not version.options)
    return next(plain, versions[0].number if versions else None)


def _spooled(content: bytes, folder: Path) -> Spooled:
    spool = Spool(folder)
    spool.write(content)
    return spool.finish()
