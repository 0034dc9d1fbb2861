"""One module for each kind of job: its work, up to the effect that the commit adds."""
