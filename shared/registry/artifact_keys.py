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
    key = read_artifact_key(settings)
    if key is None:
        refuse_loss(database)
        key = load_artifact_key(settings)
    with database.read() as session:
        others = of_other_keys(sealing_keys(session), key)
    if others:
        log.warning("models_of_another_key", key=key.id, sealed_with=others)
    return key


def key_at_hand(settings: Settings, database: Database) -> ArtifactKey:
    """The artifact key of an installation, which is not made here.

    Raises:
        WrongSettings: when there is none, or as `read_artifact_key` does.
        DatabaseUnavailable: when the database does not answer.
    """
    key = read_artifact_key(settings)
    if key is None:
        refuse_loss(database)
        raise WrongSettings(
            f"{KEY_FILE} is not in the home folder yet: the first start of the platform makes it. Run `mlmini up` or "
            "`python -m cli.launcher.prepare`, or name the home folder of a platform in MLMINI_HOME."
        )
    return key


def of_other_keys(sealed: dict[str, int], key: ArtifactKey) -> dict[str, int]:
    """Those that neither the key nor an older one has sealed."""
    return {key_id: count for key_id, count in sealed.items() if key.named(key_id) is None}


def refuse_loss(database: Database) -> None:
    """See that no model was sealed while there is no key.

    Raises:
        WrongSettings: saying what to do about the lost key.
    """
    with database.read() as session:
        sealed = sealing_keys(session, retired=True)
    if sealed:
        raise WrongSettings(loss_of(sealed))


def loss_of(sealed: dict[str, int]) -> str:
    """What it means that there is no key although so many models were sealed with each, and what to do."""
    names, count = ", ".join(sorted(sealed)), sum(sealed.values())
    return (
        f"{KEY_FILE} is missing from the home folder, and models ({count}) were sealed with {names}. Bring the file "
        "back from a backup, or set MLMINI_ARTIFACT_KEY again if that was in use. If the key is lost, so are these "
        "models: set MLMINI_ARTIFACT_KEY to a new secret of 32 characters or more, and train them again with `mlmini "
        "train`."
    )
