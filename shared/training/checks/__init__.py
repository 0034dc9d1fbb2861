"""Everything that is checked before a job is accepted, without scikit-learn."""
