"""The places of pydantic's problems: names of fields only, and one problem for each field.

For a union, pydantic reports the problems of each of its types, and puts the name of the type into the place.
"""

from collections.abc import Iterable, Iterator, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel

from shared.wording import reworded

_PREFIX = "It must be "
# pydantic puts this behind a name that is not allowed.
_KEY = "[key]"

Place = tuple[str | int, ...]


class Wrong(NamedTuple):
    """One problem and its place; `unions` are the places on the way there that may have several types."""

    problem: Any
    place: Place
    unions: Sequence[Place]
    # The types that contain the last part of the place.
    around: Sequence[Any]

    @property
    def of_type(self) -> bool:
        """Whether it says that the value is not of one of the types of a union; each other type then says the same."""
        return self.place in self.unions and str(self.problem["type"]).endswith(("_type", "literal_error"))


def placed(problems: Iterable[Any], body: Any) -> list[Wrong]:
    """The problems of a request, each at the place of its field; `body` is the type that the body should have.

    What one type of a union says is left out if another type fits better, so that its problem is further inside. If all
    types complain about the same value, their problems become one sentence.
    """
    found = [_placed(problem, body) for problem in problems]
    fitting = {union for wrong in found for union in wrong.unions if not (wrong.of_type and wrong.place == union)}
    told: dict[Place, list[Wrong]] = {}
    listed: list[Wrong | list[Wrong]] = []
    for wrong in found:
        if not wrong.of_type:
            listed.append(wrong)
        elif wrong.place not in fitting:
            if wrong.place not in told:
                listed.append(told.setdefault(wrong.place, []))
            told[wrong.place].append(wrong)
    return [_together(each) if isinstance(each, list) else each for each in listed]


def _together(same: Sequence[Wrong]) -> Wrong:
    """One problem for what all types of a union say about one value."""
    said = [reworded(each.problem["type"], str(each.problem["msg"])).removeprefix(_PREFIX) for each in same]
    *others, last = dict.fromkeys(part for each in said for part in each.split(" or "))
    message = f"{_PREFIX}{', '.join(others)} or {last}" if others else f"{_PREFIX}{last}"
    return same[0]._replace(problem={**same[0].problem, "type": "union_type", "msg": message})


def _placed(problem: Any, body: Any) -> Wrong:
    source, *path = problem["loc"]
    place: list[str | int] = [source]
    unions: list[Place] = []
    types = around = [body]
    for part in path if source == "body" else ():
        types = [each for known in types for each in _but_null(known)]
        if any(_is_union(each) for each in types):
            # This part is the name of a type, which means nothing to clients.
            unions.append(tuple(place))
            types = [side for each in types for side in (get_args(each) if _is_union(each) else [each])]
        elif part != _KEY:
            place.append(part)
            around, types = types, [inner for each in types for inner in _inside(each, part)]
    if source != "body":
        place += path
    return Wrong(problem, tuple(place), unions, around)


def _but_null(annotation: Any) -> list[Any]:
    """The type without null: to pydantic, an optional value is no union. A union of several other types stays one."""
    plain = _plain(annotation)
    sides = [side for side in get_args(plain) if side is not NoneType]
    return _but_null(sides[0]) if _is_union(plain) and len(sides) == 1 else [plain]


def _is_union(plain: Any) -> bool:
    return get_origin(plain) in {Union, UnionType}


def _plain(annotation: Any) -> Any:
    return _plain(get_args(annotation)[0]) if get_origin(annotation) is Annotated else annotation


def _inside(annotation: Any, part: str | int) -> Iterator[Any]:
    """The types of a field, an item or an entry of a value."""
    plain = _plain(annotation)
    if isinstance(plain, type) and issubclass(plain, BaseModel):
        for name, field in plain.model_fields.items():
            if part in {name, field.alias}:
                yield field.annotation
        return
    arguments = get_args(plain)
    if get_origin(plain) is dict:
        yield arguments[1]
    elif isinstance(part, int):
        yield from (each for each in arguments[:1] if each is not Ellipsis)
