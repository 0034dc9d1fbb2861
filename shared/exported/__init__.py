"""Models in folders: one file of a model with all that is needed to serve it, sealed, for a server without a platform.

`manifest` says what a folder holds, `key` who has sealed it. `exporting` writes one, `folder` checks one, and `serving`
makes a predictor of it.
"""
