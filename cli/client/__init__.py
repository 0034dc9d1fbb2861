"""Speaks to the API over HTTP: what can be asked, where the API is, and what came back."""
