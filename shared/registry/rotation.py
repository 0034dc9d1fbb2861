"""The change to a new artifact key, while no process of the platform runs.

First the new key is put before the older ones, which verify from then on; then it seals anew what they have sealed;
then the audit record tells. After each step the platform can start, and the next call goes on where this one was ended.
"""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.audit.actions import SYSTEM, Action, Via
from shared.audit.chain import audit_key_of, record_secret, use_key
from shared.audit.recording import AuditEntry, record
from shared.audit.rows import AuditHeadRow
from shared.audit.verifying import is_backwards
from shared.database import Database
from shared.errors import WrongSettings
from shared.fail_points import fail_point
from shared.home import home_problem
from shared.registry.artifact_keys import key_at_hand
from shared.registry.key_file import KeysOfFile, read_keys, replace_keys
from shared.registry.resealing import Resealed, files_of_keys, reseal_all
from shared.registry.sealing import KEY_FILE, ArtifactKey
from shared.settings import Settings


@dataclass(frozen=True)
class Rotated:
    """What was done; `before` is the key before, None when only the rest of an earlier change was done."""

    key: ArtifactKey
    before: str | None
    resealed: Resealed


def rotate(settings: Settings, database: Database) -> Rotated:
    """Make a new key and seal everything with it, or go on with a change that was ended before it was done.

    The caller sees to it that the platform does not run meanwhile.

    Raises:
        WrongSettings: when there is no key, it cannot be changed here, or the file cannot be written.
        DatabaseUnavailable: when the database does not answer.
    """
    key = key_at_hand(settings, database)
    _expect_order(database, key)
    use_key(database, audit_key_of(key))
    rest = reseal_all(database, key)
    if rest.anew or _is_untold(database, key):
        _tell(database, key, rest)
        return Rotated(key, None, rest)
    if settings.artifact_key is not None:
        raise WrongSettings(_BY_VARIABLES.format(key=key.id))
    before, key = key.id, _with_new_key(settings, database)
    fail_point("rotate.keyed")
    resealed = reseal_all(database, key)
    fail_point("rotate.sealed")
    _tell(database, key, resealed)
    return Rotated(key, before, resealed)


def give_up(settings: Settings, database: Database) -> int:
    """Keep of the older keys what checks the audit record only, and return how many they were.

    Raises:
        WrongSettings: when there is no key, it is not in the file, or older ones are needed for models.
        DatabaseUnavailable: when the database does not answer.
    """
    key = key_at_hand(settings, database)
    held = read_keys(settings.home / KEY_FILE)
    if settings.artifact_key is not None or held is None:
        raise WrongSettings(
            "The keys are in MLMINI_ARTIFACT_KEY and MLMINI_ARTIFACT_KEYS_OLD, which this cannot change. Take the "
            "older ones out: what they have sealed is refused from then on, and the audit record from their time "
            "cannot be checked without them."
        )
    with database.read() as session:
        files = files_of_keys(session)
    if any(older.id in files for older in key.older):
        raise WrongSettings(
            "Models still have seals of an older key. Run `mlmini keys rotate`, which seals them anew, and look with "
            "`mlmini fsck` at those that it leaves."
        )
    if key.older:
        # First the entry: of what was not done it tells no more than that it was asked for.
        use_key(database, audit_key_of(key))
        with database.write() as session:
            _record(session, Action.ARTIFACT_KEYS_GIVEN_UP, key, [older.id for older in key.older])
        _replace(settings, KeysOfFile(held.keys[:1], (*map(record_secret, key.older), *held.given_up)))
    return len(key.older)


def _with_new_key(settings: Settings, database: Database) -> ArtifactKey:
    held = read_keys(settings.home / KEY_FILE)
    if held is None:
        raise WrongSettings(f"{KEY_FILE} vanished from the home folder. Bring it back from a backup.")
    _replace(settings, held.with_new_key())
    key = key_at_hand(settings, database)
    use_key(database, audit_key_of(key))
    return key


def _replace(settings: Settings, held: KeysOfFile) -> None:
    try:
        replace_keys(settings.home / KEY_FILE, held)
    except OSError as error:
        raise WrongSettings(home_problem(error, str(settings.home))) from None


def _expect_order(database: Database, key: ArtifactKey) -> None:
    with database.read() as session:
        if is_backwards(session, audit_key_of(key)):
            raise WrongSettings(
                "The audit record goes on with an older key after the present one. If the keys are not in their order, "
                f"put the newest first, in {KEY_FILE} or the variables. If they are, somebody who has the older key "
                "has written that: keep it as evidence; the next entry, such as that of `mlmini admin create`, is of "
                "the present key again."
            )


def _is_untold(database: Database, key: ArtifactKey) -> bool:
    """Whether the last entry of the record is of an older key: the change to the present one is not told."""
    with database.read() as session:
        last = session.scalar(select(AuditHeadRow.key_id))
    return last in {older.id for older in audit_key_of(key).older}


def _tell(database: Database, key: ArtifactKey, resealed: Resealed) -> None:
    with database.write() as session:
        _record(session, Action.ARTIFACT_KEY_ROTATED, key, [older.id for older in key.older], resealed)


def _record(
    session: Session, action: Action, key: ArtifactKey, older: list[str], resealed: Resealed | None = None
) -> None:
    counts = {} if resealed is None else {"sealed_anew": resealed.anew, "left": len(resealed.left)}
    entry = AuditEntry(
        action=action,
        subject=f"artifact key {key.id}",
        actor=SYSTEM,
        via=Via.CLI,
        before={"older": older},
        after={"key": key.id, **counts},
    )
    record(session, entry)


_BY_VARIABLES = (
    "The key is in MLMINI_ARTIFACT_KEY, which this cannot change, and it has sealed everything ({key}). For a new one, "
    "stop the platform. Put the present value of MLMINI_ARTIFACT_KEY on a line of MLMINI_ARTIFACT_KEYS_OLD, before "
    "those that are there, and a new secret into MLMINI_ARTIFACT_KEY, such as `openssl rand -hex 32` prints, for the "
    "API and all workers. Then run `mlmini keys rotate` again, which seals the models anew, and start the platform."
)
