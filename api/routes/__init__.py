"""The endpoints, by the nouns of the domain; each only translates between HTTP and `shared`."""
