"""Which tests stay in one process when several share the work."""

import functools
from pathlib import Path

from xdist.scheduler import LoadFileScheduling

ROOT = Path(__file__).parents[2]

# Words of a file whose tests share what takes long to make: fixtures of its own, and those of a conftest.
_SHARING = ('scope="module"', "one_client", "one_parts", "one_platform", "browser: Browser")


class Spread(LoadFileScheduling):  # type: ignore[misc] # it has no types
    """Hands out the tests of such a file together, and each other test to whoever is free."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if _shares(file) else nodeid


@functools.cache
def _shares(file: str) -> bool:
    text = (ROOT / file).read_text()
    return any(word in text for word in _SHARING)
