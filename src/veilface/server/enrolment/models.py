"""Protected templates, the challenges that lead to them, and what is left of those deleted."""

from django.db import models
from django.utils import timezone

from veilface.server.accounts.models import DIGEST_LENGTH, ID_LENGTH, Account, new_id


class Challenge(models.Model):
    """What the key holder granted for one message about a template (protocol §4); hex, as everywhere.

    The key holder keeps no list of what it granted; the server needs the epoch again when it activates a template.
    ``liveness`` – the movements asked for, empty where none are (:mod:`veilface.server.recognition.liveness`).
    """

    challenge = models.CharField(max_length=DIGEST_LENGTH, primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="challenges")
    device_id = models.CharField(max_length=ID_LENGTH)
    type = models.PositiveSmallIntegerField()
    suite = models.PositiveSmallIntegerField()
    key_fp = models.CharField(max_length=DIGEST_LENGTH)
    epoch = models.PositiveBigIntegerField()
    template_hash = models.CharField(max_length=DIGEST_LENGTH, blank=True)
    liveness = models.CharField(max_length=80, blank=True)
    expires_ms = models.PositiveBigIntegerField(db_index=True)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.challenge[:8]


class Template(models.Model):
    """One protected template and the key holder's receipt for it. ``scheme`` says what it takes to read it."""

    class State(models.TextChoices):
        """Where a template stands. Which one counts is the key holder's word, never this column."""

        STORED = "stored"  # accepted by the key holder, not yet known to be current there
        ACTIVE = "active"
        DELETING = "deleting"  # asked to be deleted, not yet known to be erased at the key holder

    id = models.CharField(max_length=ID_LENGTH, primary_key=True, default=new_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="templates")
    scheme = models.CharField(max_length=20)
    state = models.CharField(max_length=10, choices=State, default=State.STORED)
    data = models.BinaryField()
    template_hash = models.CharField(max_length=DIGEST_LENGTH)
    key_fp = models.CharField(max_length=DIGEST_LENGTH)
    model_fp = models.CharField(max_length=DIGEST_LENGTH)
    epoch = models.PositiveBigIntegerField()
    header_hash = models.CharField(max_length=DIGEST_LENGTH)
    receipt = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:  # noqa: D106 – Django's
        ordering = ("-created_at", "id")

    def __str__(self) -> str:
        return self.id


class Deletion(models.Model):
    """The key holder's receipt that the key of a template is erased."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="deletions")
    template_id = models.CharField(max_length=ID_LENGTH)
    receipt = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:  # noqa: D106 – Django's
        constraints = (models.UniqueConstraint(fields=("account", "template_id"), name="one_deletion_per_template"),)

    def __str__(self) -> str:
        return self.template_id
