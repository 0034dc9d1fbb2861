"""Predictions without the detour through the framework: what is plain is answered at once, and nothing else is."""
