"""The record of who did what: entries are only added, and each is bound to the one before by a keyed hash."""
