"""A process that starts a platform which follows it, and waits: `python -m tests.support.launching_parent up`."""

import os
import sys
from pathlib import Path

from tests.support.forked_launcher import MODULE
from tests.support.zygote import Wish, become

if __name__ == "__main__":
    if launcher := os.fork():
        os.waitpid(launcher, 0)
    else:
        become(Wish([MODULE, *sys.argv[1:], "--with-parent"], dict(os.environ), str(Path.cwd())))
