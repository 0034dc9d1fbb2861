"""`mlmini doctor`: checks each part with the present settings, and changes nothing."""
