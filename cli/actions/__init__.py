"""What the verbs do, each by calls to the API; the demo does the same by the same functions."""
