"""`mlmini rehearse`: what the models of this machine's platform would be under the libraries that are here."""

from collections.abc import Sequence
from contextlib import closing
from typing import Any

from cli.client.errors import FAILED, CommandFailed, Unreachable
from cli.client.hints import in_verbs
from cli.doctor.installation import database_here
from cli.render.output import Output
from cli.render.rehearsed import rehearsed
from shared.errors import PlatformError, Unavailable, WrongSettings
from shared.object_store import open_store
from shared.registry.rehearsing import Rehearsing
from shared.registry.sealing import read_artifact_key
from shared.sandbox import SandboxFailed
from shared.settings import Settings, load_settings


def rehearse(versions: Sequence[int], *, refit: bool, as_json: bool) -> int:
    """Ask each active version about the rows that were kept with it; 1 unless all say the same.

    Raises:
        WrongSettings: when the settings, the key or the tables of the database are wrong.
        CommandFailed: when there is no such version, or no process can be started.
        Unreachable: when database or store do not answer, or nothing was started here yet.
    """
    output = Output(as_json=as_json)
    try:
        found = _found(load_settings(), versions, output, refit=refit)
    except Unavailable as error:
        raise Unreachable(error.detail) from None
    except WrongSettings:
        raise
    except PlatformError as error:
        raise CommandFailed(in_verbs(error.detail)) from None
    except SandboxFailed as error:
        raise CommandFailed(f"No process can be started to load models in: {error}") from None
    equal = all(each["verdict"] == "equal" for each in found)
    output.give({"equal": equal, "items": found}, rehearsed)
    return 0 if equal else FAILED


def _found(settings: Settings, versions: Sequence[int], output: Output, *, refit: bool) -> list[dict[str, Any]]:
    key = read_artifact_key(settings)
    found = []
    with database_here(settings, to="rehearse") as database, closing(open_store(settings)) as store:
        if key is None:
            raise WrongSettings("the key of the artifacts is missing, so no file can be checked; see `mlmini doctor`")
        for each in Rehearsing(database, store, settings, key, refit=refit).models(versions):
            output.tell(f"version {each.version}: {each.verdict}")
            found.append(each.model_dump(mode="json"))
    return found
