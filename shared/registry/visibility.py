"""The one wall between teams: what somebody may not see is left out of whatever is read for them.

A dataset that belongs to a team is there for the team's members only, with its versions, models, deployments and jobs.
No query has to think of that: a session of `SeenDatabase` adds the condition to each select of these rows. So what is
hidden is not found, not listed, not counted and not suggested, as if it were not there.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Engine, Executable, Text, event, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria
from sqlalchemy.sql.base import ExecutableOption
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from shared.accounts.rows import DatasetHolderRow
from shared.accounts.sight import ALL_SEEING, Sight, current_sight, is_whole
from shared.database import Base, Database
from shared.datasets.rows import DatasetRow, DatasetVersionRow, ErasedDatasetVersionRow
from shared.jobs.rows import JobRow
from shared.registry.rows import DeploymentRow, ErasedModelRow, RegistryRow

# What a session knows: whose eyes count, and whether anything is hidden from them.
_SIGHT, _ANY = "sight", "hides anything"
_OF_DATASETS = (DatasetVersionRow, RegistryRow, DeploymentRow)
_OF_NAMES = (ErasedDatasetVersionRow, ErasedModelRow)


class SeenDatabase(Database):
    """A database as those see it for whom it is read; what is written is not looked at.

    What counts everything says so with `whole`: the place of a job in the queue is that among all jobs.
    """

    def __init__(self, database: Database) -> None:
        """The same database as `database`, whose whole state it shares."""
        self.__dict__ = vars(database)

    @contextmanager
    def _session(self, engine: Engine) -> Iterator[Session]:
        with super()._session(engine) as session:
            session.info[_SIGHT] = current_sight()
            yield session


def datasets_of(job: JobRow) -> list[str]:
    """The names of the datasets that have to be seen by whoever sees a job."""
    source = job.request.get("input")
    # A batch prediction is listed under the dataset of its model, and has the rows of another one.
    return [job.dataset_name, *([str(source["dataset_name"])] if isinstance(source, dict) else [])]


@event.listens_for(Session, "do_orm_execute")
def _leave_out(state: ORMExecuteState) -> None:
    sight: Sight = state.session.info.get(_SIGHT, ALL_SEEING)
    if sight.teams is None or not state.is_select or state.is_column_load or is_whole(state.session):
        return
    walls = _walls(sight.teams)
    if _ANY not in state.session.info:
        state.session.info[_ANY] = _may_hide(state.session, walls)
    if state.session.info[_ANY]:
        state.statement = state.statement.options(*walls.conditions)


def _may_hide(session: Session, walls: "_Walls") -> bool:
    """Whether anything is hidden, or may be before the transaction ends."""
    connection = session.connection()
    # One that writes may wait for others, who hide something meanwhile: an answer of before would not hold.
    if connection.get_execution_options().get("writes", False):
        return True
    # The conditions cost more than this question, and most of the time nothing is hidden.
    return connection.execute(walls.any).one_or_none() is not None


class _Walls(NamedTuple):
    """What asks whether anything is hidden from those in some teams, and what leaves it out."""

    any: Executable
    conditions: tuple[ExecutableOption, ...]


@lru_cache(maxsize=1_000)
def _walls(teams: frozenset[str]) -> _Walls:
    # Tables instead of rows: to these, no condition is added in turn.
    owned, catalog = _table(DatasetHolderRow), _table(DatasetRow)
    others = owned.c.team.is_not(None) & owned.c.team.not_in(sorted(teams))
    names = select(owned.c.dataset_name).where(others)
    datasets = select(catalog.c.id).join(owned, owned.c.dataset_name == catalog.c.name).where(others)
    # As `datasets_of` has them.
    source = func.coalesce(_SourceName(JobRow.request), JobRow.dataset_name)
    conditions = (
        with_loader_criteria(DatasetRow, DatasetRow.name.not_in(names)),
        with_loader_criteria(JobRow, JobRow.dataset_name.not_in(names) & source.not_in(names)),
        *(with_loader_criteria(row, row.dataset_id.not_in(datasets)) for row in _OF_DATASETS),
        *(with_loader_criteria(row, row.dataset_name.not_in(names)) for row in _OF_NAMES),
    )
    return _Walls(names.limit(1), conditions)


class _SourceName(FunctionElement[str]):
    """The name of the dataset whose rows a request is about, where it names one of its own.

    Not an index into the JSON: the parameter of that cannot be compared, as those of such conditions are.
    """

    type = Text()
    inherit_cache = True


@compiles(_SourceName, "sqlite")
def _on_sqlite(element: _SourceName, compiler: SQLCompiler, **named: Any) -> str:
    return f"json_extract({compiler.process(element.clauses, **named)}, '$.input.dataset_name')"


@compiles(_SourceName, "postgresql")
def _on_postgresql(element: _SourceName, compiler: SQLCompiler, **named: Any) -> str:
    return f"({compiler.process(element.clauses, **named)} #>> '{{input,dataset_name}}')"


def _table(row: type[Base]) -> Any:
    return row.metadata.tables[row.__tablename__]
