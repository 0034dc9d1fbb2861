"""The job protocol over SQL."""
