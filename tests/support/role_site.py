"""A platform with accounts, for requests that are made up: callers of each role, in a team and in another one, and what
the team keeps to itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import func, select, update

from shared.accounts.api_keys import create_key
from shared.accounts.permissions import Role, Scope
from shared.accounts.rows import ApiKeyRow, UserRow
from shared.accounts.sessions import Logins
from shared.accounts.tokens import access_tokens_of
from shared.accounts.users import find_user
from shared.jobs import claims
from shared.registry.rows import DeploymentRow
from shared.settings import Settings
from tests.support.accounts import PASSWORD, add_user, cheap_passwords
from tests.support.jobs import add_job, add_lines, claim_job
from tests.support.planted import WORD
from tests.support.team_site import ABSENT, OPEN, OTHERS, SECRET, TABLE, TEAM, TeamSite, make, team_site

# A user whom requests may change and delete: no caller.
EXPENDABLE = "expendable"
# Numbers that nothing else in an answer is.
FIRST_VERSION, NO_VERSION = 70_001, 77_777
_FIRST_KEY = 1_900_000_000
# What takes a login: a key is not enough, or may less.
OF_LOGINS = {
    "POST /auth/logout",
    "POST /me/password",
    "GET /me/logins",
    "DELETE /me/logins/{login_id}",
    "POST /api-keys",
    "DELETE /api-keys/{key_id}",
}


class Caller(NamedTuple):
    """Who sends requests; nobody has no role, and an admin sees what every team has."""

    role: Role | None
    in_team: bool
    name: str
    key: str

    @property
    def sees_all(self) -> bool:
        """Whether what the team has is there for this caller."""
        return self.in_team or self.role is Role.ADMIN

    def __str__(self) -> str:
        if self.role in {None, Role.ADMIN}:
            return "nobody" if self.role is None else "admin"
        return f"{self.role} {'in the team' if self.in_team else 'of another team'}"


class RoleSite:
    """The platform and its callers."""

    def __init__(self, site: TeamSite) -> None:
        self._site = site
        self._database = site.platform.database
        tokens = access_tokens_of(site.platform.key)
        parts = site.rpc.parts
        self._logins = Logins(parts.whole_database, tokens, cheap_passwords(), parts.access.refusals)
        self._admin = site.member[Role.ADMIN]
        roles = (Role.VIEWER, Role.TRAINER, Role.APPROVER)
        self.callers = [
            *(Caller(role, True, f"{TEAM}-{role}", site.member[role]) for role in roles),
            *(Caller(role, False, f"{OTHERS}-{role}", site.stranger[role]) for role in roles),
            Caller(Role.ADMIN, False, f"{TEAM}-{Role.ADMIN}", self._admin),
            Caller(None, False, "", ""),
        ]
        self.url = site.rpc.url
        # What nobody is told, whatever they send; the keys of callers among them.
        secret = site.platform.key.secret
        self.secrets = [*(caller.key for caller in self.callers if caller.key), secret.hex(), PASSWORD]

    def credential(self, caller: Caller, address: str) -> dict[str, str]:
        """The headers that say who sends a request: a key, or a login of its own where that is what counts."""
        if caller.role is None:
            return {}
        if address in OF_LOGINS:
            return {"Authorization": f"Bearer {self._logins.log_in(caller.name, PASSWORD).access_token}"}
        return {"X-API-Key": caller.key}

    def things(self, dataset: str) -> dict[str, Any]:
        """What names in a request stand for: what belongs to a dataset, or to one that is not there."""
        version, job = NO_VERSION, UUID(int=7)
        if dataset != ABSENT:
            version, job = self._site.versions[dataset], self._site.jobs[f"batch {dataset}"]
        return {
            **dict.fromkeys(("name", "dataset_name", "dataset", "model"), dataset),
            "version": version,
            "job_id": str(job),
            "environment": "dev",
            "stage": "dev",
            "module": "tree",
            "class": "DecisionTreeClassifier",
            "code": "not_found",
            "user": EXPENDABLE,
            "key_id": self._expendable_key(),
        }

    def mend(self) -> None:
        """Put back what a request has changed that others rely on: owners, teams and models in their stages."""
        for name, team in ((SECRET, TEAM), (OPEN, None)):
            if self._site.ask(self._admin, "GET", f"/datasets/{name}").status_code == 404:
                # Deleted or archived: an upload brings it back.
                assert self._site.upload(self._site.member[Role.TRAINER], name).status_code in {200, 201}
            held = {"team": team, "owner": f"{TEAM}-trainer"}
            assert self._site.ask(self._admin, "PATCH", f"/datasets/{name}", json=held).status_code == 200
            with self._database.read() as session:
                active = select(func.count()).where(
                    DeploymentRow.version == self._site.versions[name], DeploymentRow.retired_at.is_(None)
                )
                serving = session.scalars(active).one()
            if serving < 2:
                make(self._site, name)

    def _expendable_key(self) -> int:
        """The id of a key of the expendable user, who is made anew once deleted."""
        with self._database.read() as session:
            live = select(ApiKeyRow.id).join(UserRow, UserRow.id == ApiKeyRow.user_id)
            live = live.where(UserRow.name == EXPENDABLE, UserRow.deleted_at.is_(None), ApiKeyRow.revoked_at.is_(None))
            found = session.scalars(live.limit(1)).one_or_none()
            there = select(UserRow.id).where(UserRow.name == EXPENDABLE, UserRow.deleted_at.is_(None))
            is_there = session.scalars(there).one_or_none() is not None
        if found is not None:
            return found
        if not is_there:
            add_user(self._database, EXPENDABLE)
        with self._database.write() as session:
            key, _ = create_key(session, find_user(session, EXPENDABLE), name="spare", scopes=[Scope.READ])
            return key.id


@contextmanager
def role_site(settings: Settings, folder: Path) -> Iterator[RoleSite]:
    """Serve it. The team has a dataset that requests name, with the planted word wherever a member may write it.

    It has another one, which is called by the word, and which no request names.
    """
    with team_site(settings, folder, first_version=FIRST_VERSION) as site:
        member = site.member[Role.TRAINER]
        for path in (f"/models/{site.versions[SECRET]}", f"/models/{site.versions[f'first {SECRET}']}"):
            noted = site.ask(member, "PATCH", path, json={"note": f"See {WORD}.", "tags": [WORD]})
            assert noted.status_code == 200, noted.text
        table = "".join(f"{line},{WORD}\n" for line in TABLE.replace("target", f"target,{WORD}", 1).splitlines()[1:])
        site.upload(member, SECRET, f"x,target,{WORD}\n{table}", description=f"About {WORD}")
        assert site.upload(member, WORD, team=TEAM).status_code == 201
        make(site, WORD)
        database = site.platform.database
        claim = claim_job(database, add_job(database, dataset_name=SECRET, owner=f"{TEAM}-trainer"))
        add_lines(database, claim, f"Read {WORD}")
        with database.write() as session:
            claims.succeed(session, claim)
            claims.put_outcome(session, claim, result={"metrics": {WORD: 1.0}})
        _give_callers_keys_that_no_request_names(site)
        yield RoleSite(site)


def _give_callers_keys_that_no_request_names(site: TeamSite) -> None:
    """Ids are numbers, and small ones are made up often: a caller would lose its key."""
    with site.platform.database.write() as session:
        session.execute(update(ApiKeyRow).values(id=ApiKeyRow.id + _FIRST_KEY))
