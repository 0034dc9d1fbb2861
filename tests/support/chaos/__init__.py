"""The chaos run: real processes under load and faults, and a checker of what must hold all the same."""
