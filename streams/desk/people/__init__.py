"""Who may do what: accounts, sessions, rights, answer links."""
