"""Names that a user cannot have."""

import pytest

from shared.accounts.names import checked_name, is_name
from shared.errors import InvalidUserName

REFUSED = [
    *("../../etc/passwd", "%252e%252e%252f", "x;/../..", "x#/../..", "..\\", "/etc", "C:\\", "\\\\host\\share"),
    *(
        "file:///etc",
        "s3:/b/../..",
        "ftp://x",
        "a\0",
        "a\r\nb",
        "\uff0e\uff0e\uff0f",
        "anna.",
        "anna ",
        " anna",
        "con",
        "lpt1.txt",
    ),
    *("-rf", "~root", "a" * 300, "", ".", "..", "a..b", "🦦", "a\u202eb", "<img onerror>", "{{7*7}}", "';--"),
    *(
        "${jndi:x}",
        "Anna",
        "grüße",
        "gru\u0308ße",
        "system",
        "anonymous",
        "_x",
        "@x",
        ".x",
        "a\n",
        "\uff41nna",
        "anna\u200b",
    ),
]


@pytest.mark.parametrize("name", REFUSED, ids=repr)
def test_a_name_that_means_something_elsewhere_is_refused_with_the_reason(name: str) -> None:
    with pytest.raises(InvalidUserName, match="cannot be given to a user: ") as refused:
        checked_name(name)
    assert refused.value.detail.isprintable()
    assert len(refused.value.detail) < 500


@pytest.mark.parametrize("name", ["a", "0", "anna", "anna.lang", "anna@example.org", "ci-robot_7", "a" * 64, "concord"])
def test_other_names_are_taken_as_they_are(name: str) -> None:
    assert is_name(name)
    assert checked_name(name) == name
