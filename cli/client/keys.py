"""The API key that the environment names."""

import os
import re
from pathlib import Path
from typing import NamedTuple

from cli.client.errors import WrongUsage
from cli.client.secret_text import private_bytes, without_line_end

FILE_VARIABLE = "MLMINI_API_KEY_FILE"
KEY_VARIABLE = "MLMINI_API_KEY"

# What a header can hold. A token may be given in the place of a key.
_KEY = re.compile(r"[!-~]{1,4096}")


class GivenKey(NamedTuple):
    """An API key, and the variable that it comes from."""

    text: str
    variable: str


def given_key() -> GivenKey | None:
    """The key of the environment; an empty variable counts as unset.

    Raises:
        WrongUsage: when both variables are set, the file cannot be used, or it holds something else than a key.
    """
    file, text = os.environ.get(FILE_VARIABLE), os.environ.get(KEY_VARIABLE)
    if file and text:
        raise WrongUsage(f"{FILE_VARIABLE} and {KEY_VARIABLE} are both set. Unset one of them.")
    if file:
        return _checked(_key_of(Path(file)), FILE_VARIABLE)
    return _checked(text, KEY_VARIABLE) if text else None


def _key_of(path: Path) -> str:
    try:
        return without_line_end(private_bytes(path, called=FILE_VARIABLE), called=FILE_VARIABLE)
    except OSError as error:
        raise WrongUsage(f"{FILE_VARIABLE}: {path} cannot be read: {error.strerror}.") from None


def _checked(text: str, variable: str) -> GivenKey:
    # It is not shown: it may be another secret.
    if not _KEY.fullmatch(text):
        raise WrongUsage(f"{variable}: this is no API key. A key is one line such as mlm_..., without spaces.")
    return GivenKey(text, variable)
