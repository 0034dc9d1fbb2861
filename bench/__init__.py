"""Benchmarks: each prints a table of medians beside a reference that ran in the same session."""
