"""Other servers of models, each in an environment of its own; their programs run there and import nothing from here."""
