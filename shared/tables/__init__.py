"""How a file becomes a table: what kind of file it is, its cells, its columns and what is wrong with it."""
