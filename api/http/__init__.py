"""How requests arrive and answers leave: connections, bodies, errors, pages, files."""
