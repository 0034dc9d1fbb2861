"""Whether it is the platform that answers."""

from typing import Any


def release_in(document: Any) -> str | None:
    """The release of the platform in its answer to /version; None in the answer of anything else."""
    release = document.get("platform") if isinstance(document, dict) else None
    return release if isinstance(release, str) else None
