"""Migrates the database at a URL, as another user if asked to: `python -m tests.support.migrating URL [USER_ID]`.

It shows why it cannot. Root may do anything, and becomes the user of that number; nobody else can.
"""

import os
import sys

from shared.database import Database
from shared.errors import WrongSettings
from shared.migration import upgrade

if __name__ == "__main__":
    url, *user = sys.argv[1:]
    database = Database(url)
    if user and os.getuid() == 0:
        os.setuid(int(user[0]))
    try:
        upgrade(database)
    except WrongSettings as error:
        sys.exit(error.detail)
