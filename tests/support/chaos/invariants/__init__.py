"""What must hold of every history, one small function each: it yields a sentence for everything that does not."""
