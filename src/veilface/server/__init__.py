"""The matcher: accounts, protected templates and their comparison. It holds no picture, no embedding and no key."""
