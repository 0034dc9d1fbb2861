"""Asks for predictions by the short way, and by the usual one, which has the word on every answer."""

from typing import Any

from fastapi.testclient import TestClient
from hypothesis import strategies as st

PLAIN = {"content-type": "application/json"}
# The same media type, in a spelling that only the usual way reads.
USUAL = {"content-type": "application/json ; charset=utf-8"}
_CHARACTERS = st.sampled_from(list('{}[]":,.-+eE0123456789 \\ntrufalsNI_é\x00'))


def slips(text: str) -> st.SearchStrategy[bytes]:
    """The text with some characters left out, and others put in their place."""
    return st.builds(
        lambda place, removed, added: (text[:place] + "".join(added) + text[place + removed :]).encode(),
        st.integers(0, len(text)),
        st.integers(0, 6),
        st.lists(_CHARACTERS, max_size=4),
    )


def both(client: TestClient, content: bytes | str, address: str = "/predict") -> tuple[Any, Any]:
    """The two answers to one body: status, text and headers, without what differs in each request."""
    answers = []
    for headers in (PLAIN, USUAL):
        answer = client.post(address, content=content, headers=headers | {"x-request-id": "the-same"})
        answers.append((answer.status_code, answer.text, dict(answer.headers)))
    return answers[0], answers[1]
