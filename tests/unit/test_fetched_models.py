"""A model that was fetched for a process without a key is loaded only if it is the one that was verified."""

from pathlib import Path

import pytest
from sklearn.tree import DecisionTreeClassifier

from shared.errors import ArtifactCorrupt, ModelUnavailable
from shared.hashing import digest_of
from shared.registry import artifact
from tests.support.models import LIBRARIES, attackers_pickle


def test_the_file_that_was_verified_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"
    artifact.dump(DecisionTreeClassifier(max_depth=3), path)
    loaded = artifact.load_fetched(path, version=1, sha256=digest_of(path).sha256, environment=LIBRARIES)
    assert loaded.max_depth == 3


def test_nothing_of_another_file_is_run(tmp_path: Path) -> None:
    path, trace = tmp_path / "model.pkl", tmp_path / "trace"
    artifact.dump(DecisionTreeClassifier(), path)
    sha256 = digest_of(path).sha256
    path.write_bytes(attackers_pickle(trace))
    with pytest.raises(ArtifactCorrupt):
        artifact.load_fetched(path, version=1, sha256=sha256, environment=LIBRARIES)
    assert not trace.exists()


def test_a_model_of_another_release_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"
    artifact.dump(DecisionTreeClassifier(), path)
    other = LIBRARIES | {"scikit-learn": "0.1.0"}
    with pytest.raises(ModelUnavailable, match=r"fitted with scikit-learn 0\.1\.0"):
        artifact.load_fetched(path, version=1, sha256=digest_of(path).sha256, environment=other)


@pytest.mark.parametrize(
    ("fitted", "said"),
    [("4.1.0", r"fitted with lightgbm 4\.1\.0, but 4\.7\.0 is installed here"), (None, "which is not installed here")],
    ids=["another release", "not installed"],
)
def test_a_model_of_a_library_needs_its_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fitted: str | None, said: str
) -> None:
    path = tmp_path / "model.pkl"
    artifact.dump(DecisionTreeClassifier(), path)
    if fitted is None:
        monkeypatch.setattr(artifact, "release_of", lambda name: {"lightgbm": None}.get(name, LIBRARIES.get(name)))
    other = LIBRARIES | {"lightgbm": fitted or "4.7.0"}
    with pytest.raises(ModelUnavailable, match=said):
        artifact.load_fetched(path, version=1, sha256=digest_of(path).sha256, environment=other)
