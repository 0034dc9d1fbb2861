"""`mlmini audit verify`: reads the audit record of this machine's platform, with the present settings."""

import re
from typing import Any

from rich.text import Text

from cli.client.errors import FAILED, WrongUsage
from cli.doctor.installation import database_here
from cli.render.output import Output
from shared.audit.chain import audit_key_of
from shared.audit.verifying import AuditHead, verify
from shared.errors import WrongSettings
from shared.registry.sealing import read_artifact_key
from shared.settings import load_settings

_KNOWN = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})")


def verify_audit(known: str | None, *, as_json: bool) -> int:
    """Say whether the record is whole; 1 when it is not.

    Raises:
        WrongUsage: when what is known is not a number and a hash.
        WrongSettings: when the settings, the key or the tables of the database are wrong.
        Unreachable: when the database does not answer, or nothing was started here yet.
    """
    head, settings = _head(known), load_settings()
    with database_here(settings, to="verify") as database:
        key = read_artifact_key(settings)
        if key is None:
            raise WrongSettings(
                "the key of the artifacts is missing, so nothing can be checked. `mlmini doctor` says more"
            )
        with database.read() as session:
            found = verify(session, audit_key_of(key), head)
    document = {
        "ok": found.whole,
        "entries": found.head.count,
        "last_hash": found.head.last_hash,
        "first_wrong": found.seq,
        "problem": found.problem or None,
    }
    Output(as_json=as_json).give(document, _shown)
    return 0 if found.whole else FAILED


def _head(known: str | None) -> AuditHead | None:
    if known is None:
        return None
    parts = _KNOWN.fullmatch(known)
    if parts is None:
        raise WrongUsage("--known takes what an earlier `mlmini audit verify` has told, as NUMBER:HASH.")
    return AuditHead(int(parts[1]), parts[2])


def _shown(found: dict[str, Any]) -> Text:
    if not found["ok"]:
        return Text(found["problem"], style="red")
    told = f"The record is whole: {found['entries']:,} {'entry' if found['entries'] == 1 else 'entries'}."
    known = f" Keep this elsewhere: {found['entries']}:{found['last_hash']}" if found["entries"] else ""
    return Text(told + known, style="green")
