"""Versions, stages and artifacts of models."""
