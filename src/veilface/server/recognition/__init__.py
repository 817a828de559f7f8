"""Is this the person? One probe against the account's own template; nothing of it is kept."""
