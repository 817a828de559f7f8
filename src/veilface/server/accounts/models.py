"""Who somebody is. Identifiers and digests are lower-case hex: the same text in every database and in the API."""

import secrets
from datetime import datetime

from django.db import models
from django.utils import timezone

ID_LENGTH = 32
DIGEST_LENGTH = 64


def new_id() -> str:
    """A fresh 16-byte identifier in hex."""
    return secrets.token_hex(16)


class Account(models.Model):
    """One person's account. ``id`` is the account id of the protocol (16 B)."""

    id = models.CharField(max_length=ID_LENGTH, primary_key=True, default=new_id, editable=False)
    username = models.CharField(max_length=32, unique=True)
    display_name = models.CharField(max_length=40)
    password = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.username

    @property
    def wire_id(self) -> bytes:
        """The 16 bytes that stand in a header."""
        return bytes.fromhex(self.id)


class Consent(models.Model):
    """Which terms were accepted, and when."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="consents")
    terms_version = models.CharField(max_length=20)
    accepted_at = models.DateTimeField(default=timezone.now)

    class Meta:  # noqa: D106 – Django's
        ordering = ("-accepted_at", "-id")

    def __str__(self) -> str:
        return self.terms_version


class AccessToken(models.Model):
    """A program's key to the account: 32 random bytes, of which only the SHA-256 is kept."""

    digest = models.CharField(max_length=DIGEST_LENGTH, primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=60)
    binding = models.CharField(max_length=DIGEST_LENGTH)
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.name


class SignIn(models.Model):
    """Who is signed in where: one row a live session of the site, named by the digest that its own row has as key.

    A session without one is nobody's, so deleting the row ends it. ``browser`` is a short description, never more.
    """

    class Method(models.TextChoices):
        """What proved the person."""

        PASSWORD = "password"  # noqa: S105 – is none
        PASSKEY = "passkey"
        FACE = "face"

    digest = models.CharField(max_length=40, primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="sign_ins")
    method = models.CharField(max_length=10, choices=Method)
    browser = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.digest[:8]


class Passkey(models.Model):
    """A WebAuthn credential: its public key (COSE), and how often it says that it has signed."""

    id = models.CharField(max_length=ID_LENGTH, primary_key=True, default=new_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="passkeys")
    name = models.CharField(max_length=60)
    credential_digest = models.CharField(max_length=DIGEST_LENGTH, unique=True)  # SHA-256: an id has up to 1,023 B
    credential_id = models.BinaryField()
    public_key = models.BinaryField()
    sign_count = models.PositiveBigIntegerField()
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(null=True)

    class Meta:  # noqa: D106 – Django's
        ordering = ("created_at", "id")

    def __str__(self) -> str:
        return self.name


class PasskeyChallenge(models.Model):
    """32 random bytes for one passkey to sign, in one browser, for one purpose; deleted when they are answered."""

    challenge = models.CharField(max_length=DIGEST_LENGTH, primary_key=True)
    purpose = models.CharField(max_length=12)
    binding = models.CharField(max_length=DIGEST_LENGTH)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.challenge[:8]


class Device(models.Model):
    """A device's signing key (65 B in hex), as the key holder has it."""

    class State(models.TextChoices):
        """Where a device stands."""

        PENDING = "pending"
        ACTIVE = "active"
        REVOKED = "revoked"

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="devices")
    device_id = models.CharField(max_length=ID_LENGTH)
    name = models.CharField(max_length=60)
    public_key = models.CharField(max_length=130)
    state = models.CharField(max_length=12, choices=State)
    active_from = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(null=True)

    class Meta:  # noqa: D106 – Django's
        ordering = ("created_at", "id")
        constraints = (models.UniqueConstraint(fields=("account", "device_id"), name="one_row_per_device"),)

    def __str__(self) -> str:
        return self.name

    def state_at(self, now: datetime) -> str:
        """The state at ``now``: a pending device becomes active by time alone."""
        if self.state == self.State.PENDING and self.active_from <= now:
            return self.State.ACTIVE.value
        return self.state


class Throttle(models.Model):
    """How many attempts were begun in a window that ends at ``ends_at``; ``subject`` is a digest, never a name."""

    subject = models.CharField(max_length=DIGEST_LENGTH, primary_key=True)
    attempts = models.PositiveIntegerField()
    ends_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.subject[:8]
