"""An API that may open few files, of which it has to claim most first: `python -m tests.support.narrow_api`."""

import resource
import sys

from api.server import main

MODULE = "tests.support.narrow_api"
DESCRIPTORS = 256

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, DESCRIPTORS))
    sys.exit(main())
