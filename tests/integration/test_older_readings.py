"""A dataset that an older release read keeps its reading: for predictions, for training, and until it is read anew."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import select

from api.app import create_app
from cli.launcher.prepare import prepare
from shared.database import Database
from shared.datasets.fetching import fetched
from shared.datasets.rows import DatasetVersionRow
from shared.object_store import open_store
from shared.registry.rows import RegistryRow
from shared.settings import Settings
from shared.tables.columns import Column
from shared.tables.loading import read_table
from shared.tables.reading import Reading
from shared.training.spec import TrainingSpec
from shared.training.trainer import train
from tests.support.old_homes import unpack
from tests.support.servers import Valkey
from tests.support.stack import TEST_CLIENT

# Today's rules would make other values of this dataset: here 1,234 is 1.234 beside 999, and blanks around words stay.
ROWS = {
    ";": "Id;preis;ort;code\n1;1,234;Köln;01\n2;999; Köln;2\n3;2.5;None;01\n4;;Bonn ;2\n5;12,75;Bonn;02\n",
    ",": "Id,preis,ort,code\n1,1.234,Köln,01\n2,999, Köln,2\n3,2.5,?,01\n4,,Bonn ,2\n",
}
PREDICTED = {";": "tief hoch tief hoch hoch", ",": "tief hoch tief hoch"}
UNSEEN = "Column 'ort' has values that training did not meet: "
WARNED = {
    ";": [
        UNSEEN + "'Bonn', in line 6. They were taken as unknown. Did you mean 'Bonn '?",
        "Column 'code' has values that training did not meet: '02', in line 6. They were taken as unknown.",
    ],
    ",": [],
}
RECORDS = [
    {"Id": 1, "preis": 1.234, "ort": "Köln", "code": "01"},
    {"Id": 200, "preis": 999, "ort": " Köln", "code": "2"},
    {"Id": 3, "preis": None, "ort": None, "code": "01"},
    {"Id": 4, "preis": 7, "ort": "None", "code": "2"},
]


@pytest.fixture
def old(tmp_path: Path, valkey: Valkey) -> Settings:
    """The settings of a platform that was last run by the release of migration 0010."""
    unpack("0010", tmp_path / "home")
    update = {"redis_url": SecretStr(valkey.url), "examples": False, "allowed_hosts": TEST_CLIENT}
    settings = Settings(home=tmp_path / "home").model_copy(update=update)
    prepare(settings)
    return settings


@pytest.fixture
def client(old: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(old)) as client:
        yield client


def predicted(client: TestClient, **request: Any) -> tuple[str, list[str]]:
    """The labels, and what is told beside them."""
    answer = client.post("/predict", **request).json()
    return " ".join(answer["predictions"]), answer["warnings"]


def test_a_model_predicts_cells_as_the_release_did_that_trained_it(client: TestClient) -> None:
    headers = {"Content-Type": "text/csv", "Accept": "application/json"}
    query = {"dataset_name": "prices", "environment": "dev"}
    for delimiter, rows in ROWS.items():
        found = predicted(client, params=query, content=rows.encode(), headers=headers)
        assert found == (PREDICTED[delimiter], WARNED[delimiter])
    told = UNSEEN + "'None', in row 3. They were taken as unknown."
    assert predicted(client, json=query | {"input_data": {"records": RECORDS}}) == ("tief hoch hoch hoch", [told])


def test_a_training_on_an_old_version_reads_it_as_it_was_read(old: Settings, tmp_path: Path) -> None:
    with closing(Database(old.sqlalchemy_url)) as database, closing(open_store(old)) as store:
        with database.read() as session:
            row = session.scalars(select(RegistryRow).where(RegistryRow.version == 4)).one()
            version = session.scalars(select(DatasetVersionRow).where(DatasetVersionRow.rows == 120)).one()
            reading = Reading.model_validate(version.reading)
            columns = [Column.model_validate(column) for column in version.columns]
        with fetched(version, store=store, bucket=old.datasets_bucket, folder=tmp_path) as file:
            table = read_table(file.path, reading, columns=columns)
    assert (reading.rules, reading.encoding, reading.delimiter) == (1, "latin-1", ";")
    assert [int(table[column.name].isna().sum()) for column in columns] == [column.missing for column in columns]
    assert sorted(set(table["preis"])) == [1.234, 2.5, 7.0, 12.75, 999.0]
    assert set(table["ort"].dropna()) == {" Köln", "Bonn ", "Köln", "Ulm"}
    spec = TrainingSpec.model_validate(
        {
            "dataset_name": "prices",
            "dataset_version": 1,
            "model": {"module": "tree", "class": "DecisionTreeClassifier", "params": {"max_depth": 3}},
            "target_column": "klasse",
        }
    )
    result = train(spec, table, columns, threads=1, folds=0, on_step=lambda _step, _percent, **_measured: None)
    assert result.facts.metrics == row.metrics
    assert [column.name for column in result.facts.signature.inputs if column.used] == ["preis", "ort", "code"]


def test_an_old_version_is_renewed_by_reading_it_anew(client: TestClient) -> None:
    before = client.get("/datasets/prices").json()
    assert (before["reading"]["rules"], before["findings"]) == (1, [])
    assert client.get("/datasets/prices/profile").json()["rows_looked_at"] == 120
    answer = client.post("/datasets/prices/reread", json={"thousands": "."})
    assert answer.status_code == 201
    renewed = answer.json()
    assert (renewed["version"], renewed["reading"]["rules"], renewed["sha256"]) == (2, 3, before["sha256"])
    told = {(finding["code"], finding["column"]) for finding in renewed["findings"]}
    assert {("index_column", "Id"), ("trimmed", "ort"), ("gap_word", "ort")} <= told
    # The model goes on with its own reading.
    query = {"dataset_name": "prices", "environment": "dev", "input_data": {"records": RECORDS}}
    assert predicted(client, json=query)[0] == "tief hoch hoch hoch"
