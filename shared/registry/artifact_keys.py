"""Which keys sealed the files in use, and a check that the present key was not made anew by mistake."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.database import Database
from shared.errors import WrongSettings
from shared.logging import get_logger
from shared.registry.rows import DeploymentRow
from shared.registry.sealing import KEY_FILE, ArtifactKey, load_artifact_key, read_artifact_key
from shared.settings import Settings

log = get_logger(__name__)


def sealing_keys(session: Session, *, retired: bool = False) -> dict[str, int]:
    """How many models have files with the seal of each key, by its id: active ones, and with `retired` all."""
    versions = func.count(DeploymentRow.version.distinct())
    query = select(DeploymentRow.hmac_key_id, versions).group_by(DeploymentRow.hmac_key_id)
    if not retired:
        query = query.where(DeploymentRow.retired_at.is_(None))
    return {row[0]: row[1] for row in session.execute(query)}


def open_artifact_key(settings: Settings, database: Database) -> ArtifactKey:
    """The artifact key; it is made where there is none and no model was ever sealed.

    Active models of another key are told in the log: they are refused until that key is back.

    Raises:
        WrongSettings: when the key that sealed the models is gone, or as `load_artifact_key` does.
        DatabaseUnavailable: when the database does not answer.
    """
    if read_artifact_key(settings) is None:
        with database.read() as session:
            sealed = sealing_keys(session, retired=True)
        if sealed:
            raise WrongSettings(_missing(sealed))
    key = load_artifact_key(settings)
    with database.read() as session:
        others = {name: count for name, count in sealing_keys(session).items() if name != key.id}
    if others:
        log.warning("models_of_another_key", key=key.id, sealed_with=others)
    return key


def _missing(sealed: dict[str, int]) -> str:
    names, count = ", ".join(sorted(sealed)), sum(sealed.values())
    return (
        f"{KEY_FILE} is missing from the home folder, and models ({count}) were sealed with {names}. Bring the file "
        "back from a backup, or set MLMINI_ARTIFACT_KEY again if that was in use. If the key is lost, so are these "
        "models: set MLMINI_ARTIFACT_KEY to a new secret of 32 characters or more, and train them again."
    )
