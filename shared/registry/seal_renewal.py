"""Seals of older releases, made anew when this one is first prepared.

Old seals do not cover dataset and stage. But they cover the name of the file, which says both, and a seal is renewed
only if its row agrees with that name. Afterwards a counter records for good that the seals of this key were renewed,
and an old seal that turns up later is refused. Seals of a key that is not here cannot be checked; they are renewed once
it is back.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select, update

from shared.counters import CounterRow
from shared.database import Database
from shared.errors import ArtifactCorrupt
from shared.logging import get_logger
from shared.migration import exclusive_lock
from shared.object_store import ObjectStore
from shared.registry.artifact import check_stored
from shared.registry.deployments import artifacts, read_artifact
from shared.registry.naming import artifact_name
from shared.registry.rows import DeploymentRow
from shared.registry.sealing import Artifact, ArtifactKey, check_seal, has_old_seal, reseal
from shared.settings import Settings

_BATCH = 500
# The present form of seals, as the value of the counter.
_FORM = 2

log = get_logger(__name__)


@dataclass
class Renewed:
    """How many seals were made anew, and how many were left because something about them is not right."""

    renewed: int = 0
    left: int = 0


@dataclass(frozen=True)
class Renewal:
    """The parts that a renewal works with."""

    database: Database
    store: ObjectStore
    settings: Settings
    key: ArtifactKey

    def renew(self) -> Renewed:
        """Renew the seals of this key, once; processes that call this together wait for the one that does it.

        Each seal is a transaction: after an error the next call goes on with the rest.

        Raises:
            DatabaseUnavailable, StoreUnavailable: when one of them does not answer.
        """
        counts = Renewed()
        if self._is_done():
            return counts
        with exclusive_lock(self.database):
            if not self._is_done():
                self._renew_all(counts)
        return counts

    def _renew_all(self, counts: Renewed) -> None:
        for deployment_id, artifact in self._sealed():
            try:
                counts.renewed += self._renew(deployment_id, artifact)
            except ArtifactCorrupt as error:
                counts.left += 1
                log.warning("seal_not_renewed", version=artifact.version, stage=artifact.stage, reason=error.detail)
        with self.database.write() as session:
            session.add(CounterRow(name=self._mark, value=_FORM))
        if counts != Renewed():
            log.info("seals_renewed", renewed=counts.renewed, left=counts.left)

    def _sealed(self) -> Iterator[tuple[int, Artifact]]:
        """The deployments that this key sealed, retired ones too: their files can be downloaded."""
        query = artifacts().where(DeploymentRow.hmac_key_id == self.key.id).order_by(DeploymentRow.id).limit(_BATCH)
        last = 0
        while True:
            with self.database.read() as session:
                rows = session.execute(query.where(DeploymentRow.id > last)).all()
            if not rows:
                return
            yield from ((row[0].id, read_artifact(*row)) for row in rows)
            last = rows[-1][0].id

    def _renew(self, deployment_id: int, artifact: Artifact) -> bool:
        """Renew an old seal if it, the file and the place are right; False for a seal of the present form.

        Raises:
            ArtifactCorrupt: when seal, file or place are not right.
        """
        if not has_old_seal(self.key, artifact):
            check_seal(self.key, artifact)
            return False
        _check_place(artifact)
        check_stored(self.store, self.settings, artifact)
        with self.database.write() as session:
            session.execute(
                update(DeploymentRow)
                .where(DeploymentRow.id == deployment_id, DeploymentRow.hmac == artifact.seal.hmac)
                .values(hmac=reseal(self.key, artifact).hmac)
            )
        return True

    @property
    def _mark(self) -> str:
        return f"seals:{self.key.id}"

    def _is_done(self) -> bool:
        with self.database.read() as session:
            return session.scalar(select(CounterRow.value).where(CounterRow.name == self._mark)) is not None


def _check_place(artifact: Artifact) -> None:
    if artifact.artifact_path != artifact_name(artifact.dataset_name, artifact.stage, artifact.version):
        raise ArtifactCorrupt(
            f"The registry has the file '{artifact.artifact_path}' as that of '{artifact.dataset_name}' in "
            f"'{artifact.stage}', but its name says otherwise."
        )
