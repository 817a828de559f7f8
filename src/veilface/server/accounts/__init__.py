"""Who somebody is: accounts, passwords, sessions, program tokens and devices."""
