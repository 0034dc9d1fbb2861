"""An API with two datasets, one for everybody and one that is a team's, with all that can be made of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx2
from sqlalchemy import select, update

from shared.accounts.api_keys import create_key
from shared.accounts.permissions import SCOPES, Permission, Role, Scope, allowed
from shared.accounts.users import change_user, find_user
from shared.counters import CounterRow
from shared.datasets.catalog import find_entry
from shared.jobs.acceptance import accept
from shared.jobs.rows import JobRow
from shared.jobs.states import Kind
from shared.settings import Settings
from tests.support.accounts import add_user
from tests.support.finished_batches import finish_batch
from tests.support.models import Platform, doubling, open_platform
from tests.support.registry import Data
from tests.support.rpc import RpcSite, rpc_site
from tests.support.waiting import eventually

TEAM, OTHERS = "red", "blue"
# A name that is nobody's, as long as that of the team, and like none that there is.
SECRET, ABSENT, OPEN = "quartz", "zygote", "public_numbers"
TABLE = "x,target\n" + "".join(f"{n},{2 * n}\n" for n in range(20))


@dataclass(frozen=True)
class TeamSite:
    """The site; `member` and `stranger` are keys of users of each role, in the team and in another one."""

    rpc: RpcSite
    platform: Platform
    client: httpx2.Client
    member: dict[Role, str]
    stranger: dict[Role, str]
    versions: dict[str, int]
    jobs: dict[str, UUID]

    def ask(self, key: str, method: str, path: str, **given: object) -> httpx2.Response:
        """The answer to a request with a key."""
        return self.client.request(method, path, headers={"X-API-Key": key}, **given)  # type: ignore[arg-type]  # as httpx2 has them

    def upload(self, key: str, name: str, table: str = TABLE, **fields: str) -> httpx2.Response:
        """The answer to an upload."""
        return self.ask(key, "POST", "/datasets/upload", files={"file": (f"{name}.csv", table)}, data=fields)

    def put_into(self, user: str, *teams: str) -> None:
        """Have a user be in these teams only."""
        with self.platform.database.write() as session:
            change_user(session, user, teams=teams)


@contextmanager
def team_site(settings: Settings, folder: Path, *, first_version: int = 1) -> Iterator[TeamSite]:
    """Serve it, with gRPC beside it; versions of models are numbered from `first_version` on."""
    with rpc_site(settings) as rpc, httpx2.Client(base_url=rpc.url, timeout=60) as client:
        parts = rpc.parts
        platform = open_platform(parts.whole_database, parts.store, parts.settings, folder)
        member, stranger = (
            {role: _key(platform, f"{team}-{role}", role, team) for role in Role} for team in (TEAM, OTHERS)
        )
        eventually(lambda: parts.access.known.recall_on() is True)
        with platform.database.write() as session:
            counter = update(CounterRow).where(CounterRow.name == "model_version")
            session.execute(counter.values(value=first_version - 1))
        site = TeamSite(rpc, platform, client, member, stranger, {}, {})
        for name in (SECRET, OPEN):
            fields = {"team": TEAM} if name == SECRET else {}
            for table in (TABLE, f"{TABLE}50,100\n"):
                assert site.upload(member[Role.TRAINER], name, table, **fields).status_code == 201
            make(site, name)
        # The model of the dataset for everybody, for the rows of the team's.
        site.jobs["of secret rows"] = _batch(site, OPEN, SECRET)
        yield site


def make(site: TeamSite, name: str) -> None:
    """Two models of a dataset, and a batch prediction of its own rows; the newer model is promoted."""
    platform = site.platform
    with platform.database.read() as session:
        dataset, newest = find_entry(session, name)
    data = Data(dataset.id, newest.id)
    first, second = (platform.train(data, doubling().in_form(), name=name) for _ in range(2))
    platform.promote(second, "staging", name=name)
    site.versions.update({name: second, f"first {name}": first})
    with platform.database.read() as session:
        site.jobs[name] = session.scalars(select(JobRow.id).where(JobRow.dataset_name == name).limit(1)).one()
    site.jobs[f"batch {name}"] = _batch(site, name, name)


def _batch(site: TeamSite, model: str, rows: str) -> UUID:
    """A batch prediction that has ended, with its output."""
    platform = site.platform
    with platform.database.write() as session:
        version_id = find_entry(session, rows).version.id
        source = {"dataset_name": rows, "dataset_version": 1}
        request = {"input": source, "version": site.versions[model], "dataset_name": model, "environment": "dev"}
        owner = f"{TEAM}-trainer"
        job = accept(
            session, kind=Kind.PREDICT, request=request, dataset_name=model, dataset_version_id=version_id, owner=owner
        )
    finish_batch(platform, job.id, platform.folder)
    return job.id


def _key(platform: Platform, name: str, role: Role, team: str) -> str:
    """A key with all scopes that the role allows, of a user in the team; admins are in none."""
    add_user(platform.database, name, role)
    with platform.database.write() as session:
        user = find_user(session, name)
        user.teams = [] if role is Role.ADMIN else [team]
        scopes: list[Scope] = [scope for scope in Scope if SCOPES[scope][0] in allowed(role)]
        assert Permission.READ in allowed(role, scopes)
        return create_key(session, user, name="for a test", scopes=scopes)[1]
