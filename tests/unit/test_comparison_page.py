"""Models side by side as a page: pictures with intervals, and what differs before what is the same."""

import re
from typing import Any

from api.pages.comparison import Intervals, page_of_comparison
from api.schemas.models import Comparison


def compared(**changes: Any) -> Comparison:
    metrics = [
        {"name": "accuracy", "values": [0.91, 0.95], "differs": True, "best": [7]},
        {"name": "log_loss", "values": [0.3, None], "differs": True, "best": [3]},
    ]
    parameters = [
        {"name": "bootstrap", "values": [True, True], "differs": False},
        {"name": "max_depth", "values": [None, 3], "differs": True},
    ]
    facts = [{"name": "target", "values": ["<b>", "<b>"], "differs": False}]
    found = {"versions": [3, 7], "facts": facts, "metrics": metrics, "parameters": parameters}
    return Comparison.model_validate(found | changes)


def text_of(comparison: Comparison, intervals: Intervals) -> str:
    return bytes(page_of_comparison(comparison, intervals).body).decode()


def test_metrics_are_drawn_with_their_intervals_and_the_best_one_is_named() -> None:
    text = text_of(compared(), {3: {"accuracy": (0.88, 0.94)}, 7: {}})
    assert text.count("<svg") == 2
    assert "accuracy. model 3: 0.91; model 7: 0.95" in text
    # The upright ends and the line between them.
    assert text.count('class="whisker"') == 3
    assert "<strong>0.95, best</strong>" in text
    assert "do not tell the two apart" in text
    assert "whisker" not in re.sub(r"<style>.*?</style>", "", text_of(compared(), {}), flags=re.DOTALL)


def test_what_differs_comes_first_and_the_rest_is_folded() -> None:
    text = text_of(compared(), {})
    assert (
        text.index("<strong>max_depth</strong>") < text.index("Parameters that are the same") < text.index("bootstrap")
    )
    assert "Facts that differ" not in text
    assert "&lt;b&gt;" in text
    assert "<script" not in text
    assert "http" not in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)


def test_models_of_different_rows_are_not_ranked() -> None:
    metrics = [{"name": "mae", "values": [4.0, 5.0], "differs": True, "best": []}]
    assert "measured on different rows" in text_of(compared(metrics=metrics), {})
    assert "There are none." in text_of(compared(metrics=[], parameters=[]), {})
