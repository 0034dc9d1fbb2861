"""What a seal says of an artifact: whatever of it is altered alone makes the seal invalid."""

from dataclasses import fields, replace
from typing import Any
from uuid import UUID

import pytest

from shared.errors import ArtifactCorrupt
from shared.registry.sealing import Artifact, ArtifactKey, Seal, check_file, check_seal, has_old_seal, reseal

KEY = ArtifactKey(b"a key of thirty-two bytes or more")
UNSEALED = Artifact(
    dataset_name="iris",
    stage="dev",
    version=1,
    job_id=UUID(int=1),
    artifact_path="iris_model_dev_v1.pkl",
    environment={"scikit-learn": "1.9.1"},
    seal=Seal(sha256="ab" * 32, size_bytes=972, hmac="", hmac_key_id=""),
)
SEALED = replace(UNSEALED, seal=reseal(KEY, UNSEALED))
ALTERED: dict[str, Any] = {
    "dataset_name": "wine",
    "stage": "production",
    "version": 2,
    "job_id": UUID(int=2),
    "artifact_path": "iris_model_dev_v2.pkl",
    "environment": {"scikit-learn": "1.9.2"},
}
ALTERED_SEAL: dict[str, Any] = {
    "sha256": "cd" * 32,
    "size_bytes": 973,
    "hmac": "0" * 64,
    "hmac_key_id": ArtifactKey(b"another key of thirty-two bytes").id,
}


def test_a_seal_holds_for_what_it_was_made_for() -> None:
    check_seal(KEY, SEALED)
    check_file(SEALED, sha256="ab" * 32, size_bytes=972)


def test_every_fact_about_an_artifact_is_tried_below() -> None:
    assert {field.name for field in fields(Artifact)} == ALTERED.keys() | {"seal"}
    assert {field.name for field in fields(Seal)} == ALTERED_SEAL.keys()


@pytest.mark.parametrize("name", ALTERED)
def test_a_fact_that_is_altered_alone_makes_the_seal_invalid(name: str) -> None:
    altered = replace(SEALED, **{name: ALTERED[name]})
    with pytest.raises(ArtifactCorrupt, match="valid signature"):
        check_seal(KEY, altered)


@pytest.mark.parametrize("name", ALTERED_SEAL)
def test_a_part_of_the_seal_that_is_altered_alone_makes_it_invalid(name: str) -> None:
    altered = replace(SEALED, seal=replace(SEALED.seal, **{name: ALTERED_SEAL[name]}))
    with pytest.raises(ArtifactCorrupt, match="sealed with the key" if name == "hmac_key_id" else "valid signature"):
        check_seal(KEY, altered)


def test_the_seal_of_this_release_is_none_of_an_older_one() -> None:
    assert not has_old_seal(KEY, SEALED)
