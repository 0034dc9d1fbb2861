"""Who may do what: users with roles, their passwords, logins and API keys."""
