"""`python -m tests.support.supply licences`, `sbom` or `audit`."""

import argparse
import os
import sys

from tests.support.supply.audit import PROGRAM, Finding, audited
from tests.support.supply.licences import PAGE, libraries, page, read_policy, unsuitable
from tests.support.supply.sbom import NoBill, write_bills


def main() -> None:
    """Do one of the three; the exit status is 1 when something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.supply", description=__doc__)
    parser.add_argument("what", choices=["licences", "sbom", "audit"])
    {"licences": _licences, "sbom": _sbom, "audit": _audit}[parser.parse_args().what]()


def _licences() -> None:
    policy = read_policy()
    rows = libraries(policy)
    PAGE.write_text(page(rows, policy), encoding="utf-8")
    sys.exit("\n".join(unsuitable(rows, policy)) or None)


def _sbom() -> None:
    try:
        for path in write_bills():
            sys.stdout.write(f"{path}\n")
    except NoBill as error:
        sys.exit(str(error))


def _audit() -> None:
    wanted = os.environ.get("MLMINI_AUDIT", "")
    if wanted not in {"", "required"}:
        sys.exit(f"MLMINI_AUDIT is `required` or nothing, not {wanted!r}.")
    if not PROGRAM.exists():
        sys.exit(f"There is no {PROGRAM}: `make audit` installs it.")
    answer = audited(required=bool(wanted), program=PROGRAM)
    sys.stdout.write(f"{answer.said}\n")
    sys.exit(0 if answer.finding in {Finding.CLEAN, Finding.UNREACHABLE} else 1)


if __name__ == "__main__":
    main()
