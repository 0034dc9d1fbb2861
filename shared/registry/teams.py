"""Whose a dataset is, with all that is made of it: its owner, and the team that it is kept for."""

from collections.abc import Mapping

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from shared.accounts.rows import DatasetHolderRow
from shared.accounts.sight import current_sight
from shared.datasets.rows import DatasetRow
from shared.errors import InvalidRequest, NotAllowed
from shared.registry.deployments import begin_change, generation
from shared.upsert import insert_missing


def give_dataset(session: Session, dataset_name: str, *, owner: str | None, team: str | None) -> None:
    """Have a dataset belong to an owner and a team; every process is told, as of a change of what serves."""
    begin_change(session)
    session.execute(delete(DatasetHolderRow).where(DatasetHolderRow.dataset_name == dataset_name))
    values = {"dataset_name": dataset_name, "owner": owner, "team": team}
    session.execute(insert_missing(session, DatasetHolderRow).values(**values))


def check_name(session: Session, dataset_name: str, team: str | None) -> None:
    """Make sure that whoever asks may upload to that name, for that team.

    Raises:
        NotAllowed: when the name is another team's.
        InvalidRequest: when the dataset is there already, and kept for another team or for none.
    """
    holder = session.get(DatasetHolderRow, dataset_name, populate_existing=True)
    kept_for = None if holder is None else holder.team
    if not current_sight().sees(kept_for):
        shown = f"The name '{dataset_name}' is taken by a team that you are not in"
        raise NotAllowed(f"{shown}. Give the dataset another name, or have somebody add you to the team.")
    if team is not None and team != kept_for and (kept_for is not None or _is_there(session, dataset_name)):
        now = "for everybody" if kept_for is None else f"kept for the team '{kept_for}'"
        sentence = f"The dataset '{dataset_name}' is {now}. PATCH /datasets/{dataset_name} changes its team."
        raise InvalidRequest(sentence, errors=[{"loc": ["body", "team"], "msg": sentence}])


def hold_name(session: Session, dataset_name: str, *, owner: str | None, team: str | None) -> None:
    """Have the first version of a dataset say whose it is, in the transaction that makes it visible.

    Raises:
        NotAllowed, InvalidRequest: as `check_name`, of what others have done meanwhile.
    """
    if team is not None:
        begin_change(session)
    check_name(session, dataset_name, team)
    if (owner is None and team is None) or _is_there(session, dataset_name):
        return
    values = {"dataset_name": dataset_name, "owner": owner, "team": team}
    session.execute(insert_missing(session, DatasetHolderRow).values(**values))
    # Of two first uploads, or of a name that a team has kept, the team that is there by now counts.
    check_name(session, dataset_name, team)
    session.execute(update(DatasetHolderRow).where(DatasetHolderRow.dataset_name == dataset_name).values(owner=owner))


def _is_there(session: Session, dataset_name: str) -> bool:
    there = select(DatasetRow.id).where(DatasetRow.name == dataset_name, DatasetRow.location.is_not(None))
    return session.scalar(there) is not None


class Walls:
    """Which datasets are kept for teams, as the process saw it when it last looked at the registry."""

    def __init__(self) -> None:
        self._teams: Mapping[str, str] = {}
        self._generation: int | None = None

    def look(self, session: Session) -> None:
        """See whether anything has changed, and what there is then."""
        seen = generation(session)
        if seen != self._generation:
            kept = select(DatasetHolderRow.dataset_name, DatasetHolderRow.team)
            rows = session.execute(kept.where(DatasetHolderRow.team.is_not(None)))
            self._teams = {name: str(team) for name, team in rows}
            self._generation = seen

    def hides(self, dataset_name: str) -> bool:
        """Whether a dataset is hidden from those for whom this is asked; what is not known is not hidden."""
        team = self._teams.get(dataset_name)
        return team is not None and not current_sight().sees(team)

    def hidden(self) -> frozenset[str]:
        """The names of all datasets that are."""
        sight = current_sight()
        return frozenset(name for name, team in self._teams.items() if not sight.sees(team))
