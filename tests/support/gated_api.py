"""An API whose models may reach the gates of a test, in the folder of `GATES`: `python -m tests.support.gated_api`."""

import os
import sys

from api.server import main
from shared.sandbox import client

MODULE = "tests.support.gated_api"

if __name__ == "__main__":
    client.WRITES = (os.environ["GATES"],)
    sys.exit(main())
