"""The search for parameters: what is tried, how it is measured, and what is told of it."""
