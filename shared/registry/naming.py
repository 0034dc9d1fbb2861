"""The names under which the files of models are kept: artifacts, and compiled forms beside them."""

import re
from typing import NamedTuple

_ARTIFACT = re.compile(r"(.+)_v([1-9][0-9]{0,17})\.(?:pkl|npz)")
_BETWEEN = "_model_"
_DATASET = re.compile(r"[a-z0-9][a-z0-9_]{0,63}")
_STAGE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


class ArtifactName(NamedTuple):
    """What the name of a model's file says."""

    dataset_name: str
    stage: str
    version: int


def artifact_name(dataset_name: str, stage: str, version: int) -> str:
    """The one name of a version's artifact in a stage; it is fixed, so that a second attempt finds the first one's."""
    return f"{dataset_name}{_BETWEEN}{stage}_v{version}.pkl"


def form_name(dataset_name: str, stage: str, version: int) -> str:
    """The one name of the compiled form beside an artifact."""
    return f"{artifact_name(dataset_name, stage, version).removesuffix('.pkl')}.npz"


def is_form(name: str) -> bool:
    """Whether a file of a model is its compiled form."""
    return name.endswith(".npz")


def file_names(dataset_name: str, stage: str, version: int) -> tuple[str, str]:
    """The names of all files that a version may have in a stage."""
    return artifact_name(dataset_name, stage, version), form_name(dataset_name, stage, version)


def read_artifact_name(key: str) -> list[ArtifactName]:
    """Every way to read a key, as the name of a dataset may hold `_model_`, too; empty for a foreign key."""
    match = _ARTIFACT.fullmatch(key)
    if match is None:
        return []
    name, version = match[1], int(match[2])
    splits = [(name[: at.start()], name[at.start() + len(_BETWEEN) :]) for at in re.finditer(f"(?={_BETWEEN})", name)]
    return [
        ArtifactName(dataset, stage, version)
        for dataset, stage in splits
        if _DATASET.fullmatch(dataset) and _STAGE.fullmatch(stage)
    ]
