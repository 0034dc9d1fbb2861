"""The command line, `mlmini`."""
