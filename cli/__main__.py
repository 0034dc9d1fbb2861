"""`python -m cli` is `mlmini`."""

from cli.app import main

main()
