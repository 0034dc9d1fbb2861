"""Trainings of which only some rows are in memory at a time."""
