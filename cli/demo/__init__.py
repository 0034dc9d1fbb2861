"""`mlmini demo`: the walk of the platform, done by the verbs' own functions and told with curl beside it."""
