"""Secrets that come in files: beside each secret setting there is a variable that names a file with it."""

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from shared.errors import WrongSettings
from shared.ownership import weakness

ENDING = "_FILE"
_MOST_BYTES = 65_536
_LINE_END = re.compile(r"\r?\n\Z")


def secret_names(fields: Mapping[str, FieldInfo]) -> list[str]:
    """The settings that are secrets."""
    return [name for name, field in fields.items() if SecretStr in {field.annotation, *get_args(field.annotation)}]


class SecretFiles(PydanticBaseSettingsSource):
    """Reads the secrets whose files are named in the environment."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The secret of one setting, if a file is named for it."""
        del field
        given = {name.upper(): value for name, value in os.environ.items()}
        variable = f"{self.config['env_prefix']}{field_name.upper()}"
        path = given.get(variable + ENDING)
        if not path:
            return None, field_name, False
        if given.get(variable):
            raise WrongSettings(f"{variable} and {variable}{ENDING} are both set. Unset one of them")
        return secret_of_file(Path(path), called=variable + ENDING), field_name, False

    def __call__(self) -> dict[str, Any]:
        """All secrets that come in files."""
        fields = self.settings_cls.model_fields
        found = {name: self.get_field_value(fields[name], name)[0] for name in secret_names(fields)}
        return {name: value for name, value in found.items() if value is not None}


class WithSecretFiles(BaseSettings):
    """Settings whose secrets may be in files."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given in code counts, else the environment, and for secrets the files that it names."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, SecretFiles(settings_cls)


def secret_of_file(path: Path, *, called: str) -> str:
    """The text of a file without its last line end; `called` is the variable that names it.

    A link is followed, as to where secrets are mounted.

    Raises:
        WrongSettings: when it cannot be read, holds no text, or others can read or change it.
    """
    try:
        # Without waiting for the other end of a fifo.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise WrongSettings(f"{called}: this is not a regular file. Put the secret into one")
            found = weakness(path.resolve(), secret=True)
            if found is not None:
                raise WrongSettings(f"{called}: {found}")
            text = file.read(_MOST_BYTES + 1)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else type(error).__name__
        raise WrongSettings(f"{called}: the file cannot be read: {why}. Name a file that this user can read") from None
    try:
        secret = _LINE_END.sub("", text.decode())
    except UnicodeDecodeError:
        secret = ""
    if not secret or len(text) > _MOST_BYTES:
        raise WrongSettings(f"{called}: the file holds no secret. Write it as one line of text, in UTF-8")
    return secret
