"""The README's table of settings, against the settings."""

import re
from pathlib import Path

import pytest
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from shared.settings import PREFIX, Settings

README = Path(__file__).parents[2] / "README.md"
ROW = re.compile(rf"^\| `{PREFIX}(\w+)` \| (.+?) \| (.+) \|$", re.MULTILINE)
ROWS = {name.lower(): (default, meaning) for name, default, meaning in ROW.findall(README.read_text())}


def test_the_readme_lists_every_setting_in_its_order() -> None:
    assert list(ROWS) == list(Settings.model_fields)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_the_readme_tells_the_default(name: str) -> None:
    expected = written(Settings.model_fields[name])
    default, meaning = ROWS[name]
    assert meaning
    # A default that is not a value, such as "the number of cores", is told in words.
    assert default == f"`{expected}`" if expected is not None else "`" not in default


def written(field: FieldInfo) -> str | None:
    """The default as it would be set in the environment; None where it is not a value."""
    match field.default:
        case None:
            return None
        case bool(value):
            return str(int(value))
        case tuple(values):
            return ",".join(values) or None
        case SecretStr() as secret:
            return secret.get_secret_value()
        case value:
            return None if field.default_factory else f"{value}"
