"""Names of datasets, one by one."""

from typing import get_args

import pytest

from shared.datasets.naming import is_object_key, nearest_name, new_object_key, normalise_name
from shared.errors import InvalidName
from shared.tables.reading import Format, Reading


@pytest.mark.asvs("5.3.2", "5.4.2")
@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("My DataSet.csv", "my_dataset"),
        ("iris.csv.gz", "iris"),
        ("Iris.CSV.GZ", "iris"),
        ("table.parquet", "table"),
        ("My Book.xlsx", "my_book"),
        ("macros.xlsm", "macros"),
        ("events.jsonl", "events"),
        ("a.b.tsv", "a_b"),
        ("Crème Brûlée.csv", "creme_brulee"),
        ("straße.csv", "stra_e"),
        ("ﬁne №1", "fine_no1"),
        ("2024", "2024"),
        ("__x__", "x"),
        ("report.csv ", "report"),
        ("../../etc/passwd", "etc_passwd"),
        ("..\\..\\x.csv", "x"),
        ("C:\\data\\x.csv", "c_data_x"),
        ("file:///etc/x", "file_etc_x"),
        ("\uff0e\uff0e\uff0fx", "x"),
        ("%252e%252e%252fx", "252e_252e_252fx"),
        ("x\0y", "x_y"),
        ("x\r\ny", "x_y"),
        ("CON", "con"),
        ("-rf", "rf"),
        ("~root", "root"),
        ("a\u202eb", "a_b"),
        ("<img onerror>", "img_onerror"),
        ("{{7*7}}", "7_7"),
        ("${jndi:ldap}", "jndi_ldap"),
        ("e\u0301", "e"),
        ("\u00e9", "e"),
        ("x" * 64, "x" * 64),
        ("x" * 64 + ".csv", "x" * 64),
    ],
)
def test_a_name_is_normalised(raw: str, name: str) -> None:
    assert normalise_name(raw) == name


@pytest.mark.parametrize(
    "raw", ["", ".", "..", " ", ".csv", ".csv.gz", "///", "';--", "🙂.csv", "数据.csv", "\u202e", "____"]
)
def test_a_name_with_nothing_left_is_refused_and_the_field_is_suggested(raw: str) -> None:
    with pytest.raises(InvalidName, match="field 'name'"):
        normalise_name(raw)
    assert nearest_name(raw) is None


@pytest.mark.parametrize("raw", ["x" * 65, "x" * 300, "ab " * 22])
def test_a_name_that_is_too_long_is_refused_and_the_field_is_suggested(raw: str) -> None:
    with pytest.raises(InvalidName, match=r"the limit is 64\..*field 'name'"):
        normalise_name(raw)


@pytest.mark.parametrize("format_", get_args(Format))
def test_the_keys_of_every_format_are_known_as_keys(format_: Format) -> None:
    for compression in (None, "gzip"):
        reading = Reading.model_validate({"format": format_, "compression": compression})
        assert is_object_key(new_object_key("x", reading.extension))
