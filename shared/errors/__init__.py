"""The one tree of errors. It knows nothing of HTTP and nothing of Celery.

    PlatformError
    |-- Invalid          what was asked cannot be right
    |-- Unknown          it names something that is not there
    |   `-- Gone         it was there, and was removed for good
    |-- Conflict         right in itself, but against the present state
    |-- TooLarge         over a limit
    |-- WrongMediaType   not a content type that is taken here
    |-- Unavailable      a dependency is down; the same request may work later
    |-- Permanent        a job met something that another try cannot change
    |-- NotAuthenticated it is not known who asks
    |-- NotAllowed       it is known, and that is not enough
    |-- LoginTooOld      it was known some time ago, and this takes more
    |-- TooMany          more than one may send or have, or than there may be
    `-- WrongSettings    the process cannot start like this

Each leaf is one stable `code` (its name in snake case), and a class in the file of its noun: `accounts`, `datasets`,
`jobs`, `limits`, `models`, `requests`. Its docstring says what it means and its `hint` how to fix it, for
`/errors/{code}`. The sentence given at the place of the error says both of that one case; what it names stands in
members of the problem, too, so that no program has to read the sentence.
"""

# A name is written once, where its class is.
from shared.errors.accounts import *  # noqa: F403 - see above
from shared.errors.datasets import *  # noqa: F403 - see above
from shared.errors.jobs import *  # noqa: F403 - see above
from shared.errors.limits import *  # noqa: F403 - see above
from shared.errors.models import *  # noqa: F403 - see above
from shared.errors.requests import *  # noqa: F403 - see above
from shared.errors.suggestion import *  # noqa: F403 - see above
from shared.errors.tree import *  # noqa: F403 - see above
