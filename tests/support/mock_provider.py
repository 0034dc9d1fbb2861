"""An identity provider that other people wrote, as a process of its own: `oidc-provider-mock`."""

import json
import os
import sys
import urllib.request
from typing import Any, ClassVar

from tests.support.server import Server, free_ports


class MockProvider(Server):
    """Knows three people, who log in by clicking on what stands for them; of two it says how."""

    PEOPLE: ClassVar[dict[str, dict[str, Any]]] = {
        "person-1": {"preferred_username": "anna", "groups": ["ml-admins"], "acr": "gold"},
        "person-2": {"preferred_username": "berta", "groups": ["somebody-elses"], "acr": "silver"},
        "person-3": {"preferred_username": "carla", "groups": ["ml-admins"]},
    }

    def __init__(self) -> None:
        super().__init__()
        (self.port,) = free_ports(1)

    @property
    def url(self) -> str:
        """Its issuer."""
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        people = (json.dumps({"sub": sub} | claims) for sub, claims in self.PEOPLE.items())
        told = [part for person in people for part in ("--user-claims", person)]
        return [sys.executable, "-m", "oidc_provider_mock", "--port", str(self.port), *told]

    def environment(self) -> dict[str, str]:
        return super().environment() | {"PYTHONDONTWRITEBYTECODE": "1", "LANG": os.environ.get("LANG", "C.UTF-8")}

    def is_ready(self) -> bool:
        with urllib.request.urlopen(f"{self.url}/.well-known/openid-configuration", timeout=60) as answer:  # noqa: S310 - it is ours
            return bool(answer.status == 200)
