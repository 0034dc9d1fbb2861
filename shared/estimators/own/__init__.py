"""Estimators of your own packages, which an administrator installs and names; no request ever does."""
