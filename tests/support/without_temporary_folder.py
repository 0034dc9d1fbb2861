"""A server of a model where the only folder for temporary files is the first word; the others are its own words."""

import sys
import tempfile

from api.standalone.__main__ import main

if __name__ == "__main__":
    # What this process has found before it was forked is forgotten.
    tempfile.tempdir = None
    tempfile._candidate_tempdir_list = lambda: [sys.argv[1]]  # type: ignore[attr-defined] # it is not public
    sys.exit(main(sys.argv[2:]))
