"""The leaderboard of a job as a part of its page."""

from typing import Any

from api.pages.leaderboard import leaderboard, rank
from shared.evaluation.assessment import Standing

ENTRY: dict[str, Any] = {"estimator": "svm.SVC", "metric": "mae", "measured_on": "folds", "interval": (1.0, 2.5)}


def cells(text: str) -> list[str]:
    return [part.partition("<")[0] for part in text.split("<td>")[1:]]


def test_each_model_is_linked_and_told_apart_or_not() -> None:
    board = [
        ENTRY | {"rank": 1, "version": 4, "score": 1.5, "within_noise": False},
        ENTRY | {"rank": 2, "version": 3, "score": 2.0, "within_noise": True},
        ENTRY | {"rank": 3, "version": 2, "score": 9.0, "within_noise": False},
        ENTRY | {"rank": 4, "version": 1, "score": None, "within_noise": None, "interval": None},
    ]
    text = str(leaderboard(board))
    assert [f'<a href="/models/{version}">version {version}</a>' in text for version in (4, 3, 2, 1)] == [True] * 4
    assert "Ranked by mae, the mean of the folds." in text
    told = cells(text)
    assert told[4::5] == ["", "no", "yes", ""]
    assert told[3] == "1 to 2.5"


def test_a_job_of_one_model_has_none() -> None:
    assert leaderboard([]) is None


def test_the_place_of_a_model_is_told_in_words() -> None:
    near = Standing(
        rank=2, of=3, metric="accuracy", measured_on="test_rows", score=0.9, interval=(0.8, 1.0), within_noise=True
    )
    assert rank(near) == "2 of 3 by accuracy, not told apart from the best one"
    assert rank(near.model_copy(update={"within_noise": False, "rank": 1})) == "1 of 3 by accuracy"
