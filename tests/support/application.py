"""The application behind a client of a test."""

from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.parts import Parts


def parts_of(client: TestClient) -> Parts:
    """The parts that the application works with."""
    assert isinstance(client.app, FastAPI)
    parts: Parts = client.app.state.parts
    return parts
