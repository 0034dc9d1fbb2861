"""The queue edge: takes jobs, supervises their computation, commits their effect."""
