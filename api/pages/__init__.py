"""Small pages for people who follow a link with a browser; programs get the same in JSON."""
