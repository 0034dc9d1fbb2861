"""How well a model does and what it rests on: measured on rows that it has not seen, and told as data."""
