"""`mlmini up`: starts the processes of the platform on this machine, watches them and stops them together."""
