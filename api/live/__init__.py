"""Answers that wait for something to happen: the end of a job, its next event, a new model."""
