"""CSV in and CSV out, for predictions: as the catalog reads tables, but row by row and with no library for tables."""
