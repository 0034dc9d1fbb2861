"""Fits on a Dask cluster that is there already; without the setting, nothing here is imported but the address."""
