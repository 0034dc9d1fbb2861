"""The shelf of ready predictors: bounded, least recently used first, and nothing stale is taken."""

from typing import Any

import pytest

from shared.prediction.computing import FittedModel
from shared.prediction.loaded import LoadedModels, ServingPlace
from shared.prediction.predictor import Predictor
from tests.support.models import numeric_signature

DEV = ServingPlace("iris", "dev")
PRODUCTION = ServingPlace("iris", "production")
SIGNATURE = numeric_signature("x")


def predictor(version: int, memory_bytes: int = 10, target: str = "target") -> Predictor:
    signature = SIGNATURE.model_copy(update={"target": target})
    return Predictor(version, FittedModel(None, signature), memory_bytes)


def put(shelf: LoadedModels, place: ServingPlace, version: int, **more: Any) -> bool:
    given: dict[str, Any] = {"serves": True, "generation": 0, "memory_bytes": 10, "target": "target"} | more
    return shelf.put(
        place,
        predictor(version, given["memory_bytes"], given["target"]),
        serves=given["serves"],
        generation=given["generation"],
        targets=(given["target"],),
    )


def versions(shelf: LoadedModels, place: ServingPlace, *wanted: int | None) -> list[int | None]:
    found = [shelf.find(place, version) for version in wanted]
    return [None if one is None else one.version for one in found]


def test_the_serving_predictor_is_found_with_and_without_its_version() -> None:
    shelf = LoadedModels(100)
    put(shelf, DEV, 3)
    assert versions(shelf, DEV, None, 3, 2) == [3, 3, None]
    assert versions(shelf, PRODUCTION, None, 3) == [None, None]


def test_a_new_serving_predictor_replaces_the_one_before() -> None:
    shelf = LoadedModels(100)
    put(shelf, DEV, 1)
    put(shelf, DEV, 2)
    assert versions(shelf, DEV, None, 1) == [2, None]


def test_a_predictor_that_is_asked_for_by_version_does_not_serve() -> None:
    shelf = LoadedModels(100)
    put(shelf, DEV, 2)
    put(shelf, DEV, 1, serves=False)
    assert versions(shelf, DEV, None, 1) == [2, 1]


def test_the_least_recently_used_predictor_goes_first() -> None:
    shelf = LoadedModels(30)
    for number in (1, 2, 3):
        put(shelf, ServingPlace(f"data{number}", "dev"), number)
    versions(shelf, ServingPlace("data1", "dev"), None)
    put(shelf, ServingPlace("data4", "dev"), 4)
    found = [shelf.find(ServingPlace(f"data{number}", "dev"), None) is not None for number in (1, 2, 3, 4)]
    assert found == [True, False, True, True]


def test_a_predictor_larger_than_the_limit_stays_alone() -> None:
    shelf = LoadedModels(30)
    put(shelf, DEV, 1)
    put(shelf, PRODUCTION, 1, memory_bytes=100)
    assert versions(shelf, DEV, None) == [None]
    assert versions(shelf, PRODUCTION, None) == [1]


@pytest.mark.parametrize(("generation", "taken"), [(4, False), (5, True), (6, True)])
def test_what_a_change_has_overtaken_is_not_taken(generation: int, taken: bool) -> None:
    shelf = LoadedModels(100)
    shelf.begin_refresh(5)
    assert put(shelf, DEV, 1, generation=generation) is taken
    assert versions(shelf, DEV, None) == [1 if taken else None]


def test_a_refresh_tells_what_is_there() -> None:
    shelf = LoadedModels(100)
    put(shelf, DEV, 2)
    put(shelf, DEV, 1, serves=False)
    contents = shelf.begin_refresh(1)
    assert contents.serving == {DEV: 2}
    assert contents.versions == {1, 2}


def test_what_is_no_longer_active_goes_unless_it_waits_for_its_replacement() -> None:
    shelf = LoadedModels(100)
    put(shelf, DEV, 3)
    put(shelf, DEV, 2, serves=False)
    put(shelf, DEV, 1, serves=False)
    shelf.keep_active({("dev", 1), ("production", 2)}, {})
    assert versions(shelf, DEV, None, 2, 1) == [3, None, 1]


def test_dropping_a_version_that_was_replaced_meanwhile_leaves_the_new_one() -> None:
    shelf = LoadedModels(100)
    put(shelf, DEV, 1)
    put(shelf, DEV, 2)
    shelf.drop(DEV, 1)
    assert versions(shelf, DEV, None) == [2]
    shelf.drop(DEV, 2)
    assert versions(shelf, DEV, None) == [None]


def test_a_predictor_is_found_by_its_target_and_by_no_other() -> None:
    shelf = LoadedModels(100)
    put(shelf, DEV, 2, target="weight")
    put(shelf, DEV._replace(target="species"), 1, target="species")
    assert versions(shelf, DEV._replace(target="species"), None, 1, 2) == [1, 1, None]
    assert versions(shelf, DEV._replace(target="weight"), None, 2, 1) == [None, 2, None]
    assert versions(shelf, DEV, None, 1, 2) == [2, 1, 2]


def test_a_predictor_stays_as_long_as_it_serves_one_of_two_places() -> None:
    species = DEV._replace(target="species")
    for leave in (lambda shelf: put(shelf, DEV, 2, target="weight"), lambda shelf: shelf.drop(DEV, 1)):
        shelf = LoadedModels(100)
        for place in (DEV, species):
            put(shelf, place, 1, target="species")
        leave(shelf)
        shelf.keep_active(set(), {})
        assert versions(shelf, species, None) == [1]
        shelf.drop(species, 1)
        assert versions(shelf, species, None, 1) == [None, None]


def test_the_memory_that_a_predictor_of_two_places_takes_counts_once_and_is_freed_for_both() -> None:
    shelf = LoadedModels(25)
    species = DEV._replace(target="species")
    for place in (DEV, species):
        put(shelf, place, 1, target="species")
    put(shelf, PRODUCTION, 2)
    assert versions(shelf, DEV, None) == [1]
    shelf.find(PRODUCTION, None)
    put(shelf, PRODUCTION, 3, serves=False)
    assert versions(shelf, DEV, None) == versions(shelf, species, None) == [None]


def test_the_targets_of_a_place_are_those_of_the_last_look() -> None:
    shelf = LoadedModels(100)
    assert shelf.targets(DEV) == ()
    put(shelf, DEV._replace(target="species"), 1, target="species")
    assert shelf.targets(DEV) == ("species",)
    shelf.keep_active({("dev", 1)}, {DEV: ("weight", "species"), PRODUCTION: ("weight",)})
    assert (shelf.targets(DEV), shelf.targets(PRODUCTION)) == (("weight", "species"), ())
    shelf.keep_active(set(), {})
    assert shelf.targets(DEV) == ()
