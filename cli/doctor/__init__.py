"""`mlmini doctor`: looks at each part with the present settings, and changes nothing."""
