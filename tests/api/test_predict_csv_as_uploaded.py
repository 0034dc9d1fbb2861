"""POST /predict with CSV for a dataset whose upload said how to read it: its own raw rows mean the same."""

from pathlib import Path
from typing import NamedTuple

import pytest
from fastapi.testclient import TestClient

from api.parts import Parts
from shared.datasets.catalog import find_entry
from shared.tables.columns import Column
from shared.tables.loading import read_table
from shared.tables.reading import Reading
from shared.training.trainer import train
from tests.support.models import Fitted, Platform
from tests.support.registry import Data
from tests.support.training_tables import spec_of


class Table(NamedTuple):
    """Rows whose second cell tells the label, the line of their names, and what the upload said."""

    fields: dict[str, str]
    rows: list[str]
    names: str = "size,word,target\n"
    encoding: str = "utf-8"

    def content(self, rows: list[str]) -> bytes:
        """A file of some rows."""
        return (self.names + "".join(f"{row}\n" for row in rows)).encode(self.encoding)


TABLES = {
    "an encoding": Table({"encoding": "cp1250"}, ["1,Čapek,a", "2,Čert,b"], encoding="cp1250"),
    "no quotes": Table({"quote": "none"}, ['1,"5 inch",a', "2,5 inch,b"]),
    "a delimiter": Table({"delimiter": "^"}, ["1^x^a", "2^y^b"], "size^word^target\n"),
    "no names": Table({"header": "none", "names": '["size", "word", "target"]'}, ["1,x,a", "2,y,b"], ""),
}


def furnish(parts: Parts, folder: Path) -> Platform:
    """Nothing yet: each test uploads its table."""
    return Platform(parts.database, parts.store, parts.settings, parts.key, folder)


def train_on(platform: Platform, name: str, content: bytes) -> None:
    """A tree in dev that learnt from an upload, read as a worker reads it."""
    with platform.database.read() as session:
        row = find_entry(session, name).version
    path = platform.folder / name
    path.write_bytes(content)
    columns = [Column.model_validate(column) for column in row.columns]
    result = train(
        spec_of("tree.DecisionTreeClassifier", features=["word"]),
        read_table(path, Reading.model_validate(row.reading), columns=columns),
        columns,
        threads=1,
        folds=0,
        on_step=lambda _step, _percent, **_measured: None,
    )
    fitted = Fitted(result.model, result.facts.signature, result.facts.environment)
    platform.train(Data(row.dataset_id, row.id), fitted, name=name)


@pytest.mark.any_stack
@pytest.mark.parametrize("case", TABLES)
def test_raw_rows_are_read_as_the_upload_was_told_to_be(
    one_client: TestClient, one_platform: Platform, case: str
) -> None:
    name, table = case.replace(" ", "_"), TABLES[case]
    content = table.content(table.rows * 20)
    files = {"file": (f"{name}.csv", content)}
    assert one_client.post("/datasets/upload", files=files, data=table.fields).status_code == 201
    train_on(one_platform, name, content)
    for row in table.rows:
        answer = one_client.post(
            "/predict",
            params={"dataset_name": name, "environment": "dev"},
            content=table.content([row]),
            headers={"content-type": "text/csv", "accept": "application/json"},
        ).json()
        assert answer["predictions"] == [row[-1]], answer
        told = [warning for warning in answer["warnings"] if "UTF-8" in warning]
        assert told == (["The table is not UTF-8. It was read as cp1250."] if table.encoding == "cp1250" else [])
