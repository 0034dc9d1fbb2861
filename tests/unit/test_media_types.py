"""What clients say in the header Accept."""

import pytest

from api.http.media_types import named_quality, quality


def test_the_most_specific_of_several_ranges_decides() -> None:
    accept = "text/*;q=0.3, text/html;q=0.7, */*;q=0.5"
    assert [quality(accept, kind) for kind in ("text/html", "text/plain", "image/png")] == [0.7, 0.3, 0.5]


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("text/csv", 1.0),
        ("TEXT/CSV ; header=absent; q=0.2, */*", 0.2),
        ("text/csv;q=0", 0.0),
        ("text/csv;q=much", 0.0),
        ("text/csv-schema", 0.0),
        ("text/*, */*", 0.0),
        ("", 0.0),
    ],
)
def test_a_type_is_named_by_itself_and_not_by_a_range_or_a_longer_name(accept: str, wanted: float) -> None:
    assert named_quality(accept, "text/csv") == wanted
