"""From a table and a specification to a model and a report."""
