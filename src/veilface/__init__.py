"""Face login in which nobody but the user ever holds the user's face."""
