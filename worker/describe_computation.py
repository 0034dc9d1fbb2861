"""Describes the classes of own packages: what the platform then knows of them without importing them."""

from pathlib import Path

from shared.estimators.own.describing import describe
from worker.handover import DESCRIBE_FILE, Described, DescribeWork
from worker.telling import Telling

_LONGEST = 500


def describe_classes(folder: Path, _telling: Telling) -> Described:
    """Import each class by itself; what one raises does not keep the others from being described."""
    work = DescribeWork.model_validate_json((folder / DESCRIBE_FILE).read_bytes())
    done = Described()
    for each in work.classes:
        try:
            done.estimators[each.path] = describe(each)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a package of others may raise anything
            done.problems[each.path] = f"{type(error).__name__}: {error}"[:_LONGEST]
    return done
