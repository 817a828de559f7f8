from django.contrib.auth.hashers import Argon2PasswordHasher


class QuickArgon2(Argon2PasswordHasher):
    """argon2id with so little work that a test can afford it."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1
