"""The dataset catalog."""
