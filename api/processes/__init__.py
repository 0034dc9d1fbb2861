"""Several processes that answer on one address: forked, watched and stopped together, with memory that they share."""
