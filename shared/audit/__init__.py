"""The record of who did what: entries are only added, and a keyed hash binds each to the one before."""
