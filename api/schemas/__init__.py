"""Bodies of requests and responses, by the nouns of the domain."""
