"""Query parameters, checked as strictly as bodies: an unknown one is refused, since the client may think it matters."""

from collections import Counter

from fastapi import Request, params
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute

from api.http.validation import counted
from api.schemas.base import read_version
from shared.errors import MOST_PROBLEMS, InvalidRequest, closest, did_you_mean

_MOST_COMPARED = 10
# The identity provider sends browsers back to this address, with parameters of its own choice.
_OF_PROVIDERS = "/login/oidc/callback"


async def check_query(request: Request) -> None:
    """Refuse unknown parameters, and parameters that are given twice; a dependency of every route.

    Raises:
        InvalidRequest: naming each of them.
    """
    given = Counter(name for name, _ in request.query_params.multi_items())
    if not given or request.scope["route"].path == _OF_PROVIDERS:
        return
    known = declared_names(request.scope["route"])
    strange = [name for name in given if name not in known]
    if len(given) > MOST_PROBLEMS:
        sentence = f"The address has {len(given):,} query parameters, far more than there are. Leave them out."
        raise InvalidRequest(sentence, errors=[{"loc": ["query"], "msg": sentence}])
    errors = [
        {"loc": ["query", name], "msg": _twice(name) if name in known else _unknown(name, known)}
        for name, times in given.items()
        if name not in known or times > 1
    ]
    if errors:
        more, count = counted(len(errors))
        near = closest(strange[0], known) if strange else None
        available = known if strange else []
        raise InvalidRequest(
            f"{errors[0]['msg']}{more}",
            errors=errors,
            did_you_mean=near,
            available=available,
            problem_count=count,
        )


def declared_names(route: APIRoute) -> list[str]:
    """The query parameters that a route has, in alphabetical order."""
    fields = get_flat_params(route.dependant)
    return sorted(field.alias for field in fields if isinstance(field.field_info, params.Query))


def _unknown(name: str, known: list[str]) -> str:
    hint = did_you_mean(name, known)
    if not hint:
        hint = f" The parameters are: {', '.join(known)}." if known else " This address takes none."
    return f"There is no query parameter '{name}'.{hint}"


def _twice(name: str) -> str:
    return f"The query parameter '{name}' is given more than once. Give it once."


def read_versions(text: str) -> list[int]:
    """The versions of models to compare, as a comparison names them.

    Raises:
        InvalidRequest: when they are not several different ones.
    """
    parts = [part.strip() for part in text.split(",")]
    wanted = [version for version in map(read_version, parts) if version is not None]
    if not len(parts) == len(wanted) == len(set(wanted)) or not 2 <= len(wanted) <= _MOST_COMPARED:
        sentence = f"'versions' must be 2 to {_MOST_COMPARED} different version numbers, such as 'versions=1,2'."
        raise InvalidRequest(sentence, errors=[{"loc": ["query", "versions"], "msg": sentence}])
    return wanted
