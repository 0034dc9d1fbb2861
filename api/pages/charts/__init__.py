"""Pictures drawn as SVG on the server, by their kinds: nothing is loaded and no script runs."""
