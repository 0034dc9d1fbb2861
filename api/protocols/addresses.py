"""Which model an address of another protocol names: `iris`, `iris@staging`, or `iris` with `?environment=staging`."""

from shared.errors import InvalidRequest
from shared.prediction.loaded import ServingPlace

ENVIRONMENT = "production"


def place_of(model: str, environment: str | None, target: str | None) -> ServingPlace:
    """Where to look for the model of an address.

    Raises:
        InvalidRequest: when the address names two environments.
    """
    name, at, suffix = model.partition("@")
    if at and environment not in {None, suffix}:
        sentence = f"The address names two environments, '{suffix}' and '{environment}'. Leave out one of the two."
        raise InvalidRequest(sentence, errors=[{"loc": ["query", "environment"], "msg": sentence}])
    return ServingPlace(name, suffix if at else environment or ENVIRONMENT, target)


def name_of_place(dataset_name: str, environment: str) -> str:
    """The name by which the model of a place is asked for."""
    return dataset_name if environment == ENVIRONMENT else f"{dataset_name}@{environment}"
