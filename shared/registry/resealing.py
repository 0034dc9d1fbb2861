"""Seals of older keys, made anew with the present one.

Each batch is a transaction, and a seal of an older key is as good as one of the present key meanwhile. So this can end
at any moment: the next call goes on with the rest.
"""

from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.database import Database
from shared.errors import ArtifactCorrupt
from shared.fail_points import fail_point
from shared.logging import get_logger
from shared.registry.deployments import artifacts, read_artifact
from shared.registry.forms import read_form
from shared.registry.rows import CompiledFormRow, DeploymentRow
from shared.registry.sealing import Artifact, ArtifactKey, Seal, check_seal, reseal

_BATCH = 200

log = get_logger(__name__)


@dataclass
class Resealed:
    """How many seals were made anew, and what is wrong with those that were left."""

    anew: int = 0
    left: list[str] = field(default_factory=list)


def reseal_all(database: Database, key: ArtifactKey) -> Resealed:
    """Seal with the present key what older ones have sealed: deployments, retired ones too, and compiled forms.

    A seal that does not hold stays as it is.

    Raises:
        DatabaseUnavailable: when the database does not answer.
    """
    done = Resealed()
    if key.older:
        for batch in (_deployments, _forms):
            last: int | None = 0
            while last is not None:
                with database.write() as session:
                    last = batch(session, key, last, done)
                fail_point("rotate.batch")
    return done


def _deployments(session: Session, key: ArtifactKey, last: int, done: Resealed) -> int | None:
    """Reseal some behind the last one, and return the number of the new last one; None at the end."""
    query = artifacts().where(DeploymentRow.hmac_key_id.in_(older.id for older in key.older), DeploymentRow.id > last)
    found = session.execute(query.order_by(DeploymentRow.id).limit(_BATCH)).all()
    for deployment, registered, name in found:
        made = _made(key, read_artifact(deployment, registered, name), done)
        if made is not None:
            deployment.hmac, deployment.hmac_key_id = made.hmac, made.hmac_key_id
    return found[-1][0].id if found else None


def _forms(session: Session, key: ArtifactKey, last: int, done: Resealed) -> int | None:
    """The same for compiled forms."""
    query = artifacts().join(CompiledFormRow).add_columns(CompiledFormRow)
    query = query.where(CompiledFormRow.hmac_key_id.in_(older.id for older in key.older))
    behind = query.where(CompiledFormRow.deployment_id > last).order_by(CompiledFormRow.deployment_id).limit(_BATCH)
    found = session.execute(behind).all()
    for deployment, registered, name, form in found:
        made = _made(key, read_form(form, read_artifact(deployment, registered, name)), done)
        if made is not None:
            form.hmac, form.hmac_key_id = made.hmac, made.hmac_key_id
    return found[-1][0].id if found else None


def _made(key: ArtifactKey, artifact: Artifact, done: Resealed) -> Seal | None:
    try:
        check_seal(key, artifact)
    except ArtifactCorrupt as error:
        done.left.append(error.detail)
        log.warning("seal_left", version=artifact.version, stage=artifact.stage, reason=error.detail)
        return None
    done.anew += 1
    return reseal(key, artifact)


def files_of_keys(session: Session) -> dict[str, int]:
    """How many files each key has sealed, by its id: those of deployments, retired ones too, and compiled forms."""
    found: Counter[str] = Counter()
    for row in (DeploymentRow, CompiledFormRow):
        for key_id, number in session.execute(select(row.hmac_key_id, func.count()).group_by(row.hmac_key_id)):
            found[key_id] += number
    return dict(found)
