"""Datasets: give one to another owner, or keep it for a team."""

from fastapi import APIRouter

from api.access.callers import Caller, CallerDep
from api.dependencies import RegistrySession
from api.http.json_body import StrictRoute
from api.http.problems import responses
from api.routes.datasets import Name
from api.schemas.datasets import Dataset, DatasetUpdate
from shared.accounts.names import checked_team
from shared.accounts.permissions import Permission
from shared.accounts.users import find_user
from shared.audit.actions import Action
from shared.datasets.catalog import CatalogEntry, find_dataset, find_version
from shared.errors import NotAllowed
from shared.registry.deployments import lock_registry
from shared.registry.teams import give_dataset

router = APIRouter(tags=["Datasets"], route_class=StrictRoute)


@router.patch(
    "/datasets/{name}",
    summary="Give a dataset to a team or an owner",
    operation_id="give_dataset",
    responses=responses(404, 413, 415, 422, 503),
)
def change_holders(*, name: Name, body: DatasetUpdate, session: RegistrySession, caller: CallerDep) -> Dataset:
    """Keep a dataset for a team, or for everybody again, with all that is made of it; or give it to another owner.

    The owner may do so, and whoever may `manage`. For others than the members of its team it is as if there were no
    such dataset from then on, in every process before this is answered, and none of its versions, models, jobs and
    predictions.
    """
    # Who owns it is asked once nobody else can change that: what was read before might be over.
    lock_registry(session)
    dataset = find_dataset(session, name, include_archived=True)
    if dataset.owner != caller.identity.name:
        caller.need(Permission.MANAGE, f"change whose the dataset '{name}' is: it belongs to another owner or to none")
    before = {"team": dataset.team, "owner": dataset.owner}
    after = before | {field: getattr(body, field) for field in body.model_fields_set}
    if after["owner"] != before["owner"] and after["owner"] is not None:
        find_user(session, after["owner"])
    check_membership(caller, after["team"])
    if after != before:
        give_dataset(session, name, owner=after["owner"], team=after["team"])
        caller.note(session, Action.DATASET_CHANGED, f"dataset {name}", before=before, after=after)
        session.expire(dataset)
        # It may have been deleted meanwhile.
        dataset = find_dataset(session, name, include_archived=True)
    return Dataset.of_entry(CatalogEntry(dataset, find_version(session, dataset, None)))


def check_membership(caller: Caller, team: str | None) -> None:
    """Check that the caller may keep a dataset for a team: only for a team of their own.

    Raises:
        NotAllowed: when they are not in it, and may not manage either.
        InvalidRequest: when no team can have such a name.
    """
    if team is not None and not caller.identity.sight.sees(checked_team(team)):
        raise NotAllowed(f"You are not in the team '{team}'. GET /me tells your teams; an admin changes them.")
