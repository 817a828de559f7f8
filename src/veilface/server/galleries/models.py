"""Galleries and all that is true of them: who is in one, by whose word, and which slot of which block holds whom.

Blocks themselves lie in files (``veilface.match.gallery``), a cache that can be made again from these rows.
"""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone

from veilface.server.accounts.models import DIGEST_LENGTH, ID_LENGTH, Account, new_id
from veilface.server.enrolment.models import Template

NAME_LENGTH = 40
PURPOSE_LENGTH = 200
KIOSK_NAME_LENGTH = 60
POINT_LENGTH = 130


class Gallery(models.Model):
    """A named set of people with a stated purpose. ``id`` is its account id at the key holder (16 B).

    ``epoch`` is that of the key its blocks are under, since ``keyed_at``; ``generation`` rises whenever a search must
    look different.
    """

    class State(models.TextChoices):
        """Where it stands."""

        OPEN = "open"
        CLOSING = "closing"  # nobody is in it any more; its keys and files are still to go

    id = models.CharField(max_length=ID_LENGTH, primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=NAME_LENGTH, unique=True)
    purpose = models.CharField(max_length=PURPOSE_LENGTH)
    may_register = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    epoch = models.PositiveBigIntegerField(default=1)
    keyed_at = models.DateTimeField(default=timezone.now)
    generation = models.PositiveBigIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:  # noqa: D106 – Django's
        ordering = ("created_at", "id")

    def __str__(self) -> str:
        return self.name

    @property
    def wire_id(self) -> bytes:
        """The 16 bytes that stand in a header."""
        return bytes.fromhex(self.id)


class Kiosk(models.Model):
    """A device that may search one gallery. Of its token, which it chose itself, there is only the SHA-256.

    ``revocation_told`` – whether the key holder, too, knows that it is revoked.
    """

    class State(models.TextChoices):
        """Where a kiosk stands."""

        PENDING = "pending"
        ACTIVE = "active"
        REVOKED = "revoked"

    gallery = models.ForeignKey(Gallery, on_delete=models.CASCADE, related_name="kiosks")
    device_id = models.CharField(max_length=ID_LENGTH)
    name = models.CharField(max_length=KIOSK_NAME_LENGTH)
    public_key = models.CharField(max_length=POINT_LENGTH)
    state = models.CharField(max_length=12, choices=State)
    active_from = models.DateTimeField()
    token = models.CharField(max_length=DIGEST_LENGTH, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(null=True)
    revocation_told = models.BooleanField(default=False)

    class Meta:  # noqa: D106 – Django's
        ordering = ("created_at", "id")
        constraints = (models.UniqueConstraint(fields=("gallery", "device_id"), name="one_row_per_kiosk"),)

    def __str__(self) -> str:
        return self.name

    def state_at(self, now: datetime) -> str:
        """The state at ``now``: a pending kiosk becomes active by time alone."""
        if self.state == self.State.PENDING and self.active_from <= now:
            return self.State.ACTIVE.value
        return self.state


class Invitation(models.Model):
    """A code of the operator by which one kiosk joins; only its SHA-256 is kept.

    ``taken_by`` – the context (SHA-256) of the one registration it is good for, once it was used; for that one it is
    good for a day from then on.
    """

    digest = models.CharField(max_length=DIGEST_LENGTH, primary_key=True)
    gallery = models.ForeignKey(Gallery, on_delete=models.CASCADE, related_name="invitations")
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)
    taken_by = models.CharField(max_length=DIGEST_LENGTH, blank=True)

    def __str__(self) -> str:
        return self.digest[:8]


class Block(models.Model):
    """A packed block as its file should be. ``generation`` rises whenever one of its slots dies.

    ``key_fp`` – of the epoch's key it was packed under: a block that is under any other is packed anew, never searched.
    ``kind`` – by which way everybody in it came in; empty where that was not looked at yet.
    """

    class Kind(models.TextChoices):
        """By which way people come into a gallery."""

        ACCOUNT = "account"
        KIOSK = "kiosk"

    number = models.BigAutoField(primary_key=True)
    id = models.CharField(max_length=ID_LENGTH, unique=True)
    gallery = models.ForeignKey(Gallery, on_delete=models.CASCADE, related_name="blocks")
    checksum = models.CharField(max_length=DIGEST_LENGTH)
    key_fp = models.CharField(max_length=DIGEST_LENGTH, default="")
    kind = models.CharField(max_length=10, choices=Kind, default="")
    packed = models.PositiveSmallIntegerField()
    generation = models.PositiveBigIntegerField(default=1)

    def __str__(self) -> str:
        return self.id


class Member(models.Model):
    """One template of a person in a gallery, and its slot once it is packed. Without this row nobody is found.

    ``template`` is an account's, and takes this row with it when it goes; without one, the person was registered at a
    kiosk under ``name``. ``person`` is what kiosks see, another in every gallery.
    """

    number = models.BigAutoField(primary_key=True)
    id = models.CharField(max_length=ID_LENGTH, unique=True, default=new_id, editable=False)
    gallery = models.ForeignKey(Gallery, on_delete=models.CASCADE, related_name="members")
    person = models.CharField(max_length=ID_LENGTH, default=new_id, editable=False)
    name = models.CharField(max_length=NAME_LENGTH, blank=True)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, null=True, related_name="memberships")
    template = models.ForeignKey(Template, on_delete=models.CASCADE, null=True, related_name="memberships")
    since = models.DateTimeField(default=timezone.now)
    block = models.ForeignKey(Block, on_delete=models.PROTECT, null=True, related_name="members")
    slot = models.PositiveSmallIntegerField(null=True)

    class Meta:  # noqa: D106 – Django's
        constraints = (
            models.UniqueConstraint(fields=("gallery", "account"), name="one_membership_per_account"),
            models.UniqueConstraint(fields=("block", "slot"), name="one_member_per_slot"),
            # The distance between two templates of one person would tell a block's rotation.
            models.UniqueConstraint(fields=("block", "person"), name="one_template_of_a_person_per_block"),
            models.CheckConstraint(
                condition=Q(block=None, slot=None) | Q(block__isnull=False, slot__isnull=False),
                name="member_in_a_block_has_a_slot",
            ),
        )
        indexes = (
            models.Index(fields=("gallery", "block"), name="member_waiting"),
            models.Index(fields=("gallery", "person"), name="member_by_person"),
        )

    def __str__(self) -> str:
        return self.person


class OptIn(models.Model):
    """The consent of a member with an account: what their device signed, and the key holder's receipt for it."""

    member = models.OneToOneField(Member, on_delete=models.CASCADE, primary_key=True, related_name="opt_in")
    device_id = models.CharField(max_length=ID_LENGTH)
    device_public_key = models.CharField(max_length=POINT_LENGTH)
    header = models.BinaryField()
    signature = models.BinaryField()
    receipt = models.BinaryField()

    def __str__(self) -> str:
        return str(self.pk)


class Registration(models.Model):
    """A template under the gallery's own key, as a kiosk registered it, with what the kiosk signed."""

    member = models.OneToOneField(Member, on_delete=models.CASCADE, primary_key=True, related_name="registration")
    kiosk = models.ForeignKey(Kiosk, on_delete=models.SET_NULL, null=True, related_name="registrations")
    data = models.BinaryField()
    key_fp = models.CharField(max_length=DIGEST_LENGTH)
    header_hash = models.CharField(max_length=DIGEST_LENGTH, db_index=True)
    header = models.BinaryField(default=b"")
    signature = models.BinaryField(default=b"")
    receipt = models.BinaryField(default=b"")

    def __str__(self) -> str:
        return str(self.pk)


class Departure(models.Model):
    """An account whose opt-in the key holder is still to forget. No key to the account: it may be gone itself."""

    gallery = models.ForeignKey(Gallery, on_delete=models.CASCADE, related_name="departures")
    account = models.CharField(max_length=ID_LENGTH)

    class Meta:  # noqa: D106 – Django's
        constraints = (models.UniqueConstraint(fields=("gallery", "account"), name="one_departure_per_account"),)

    def __str__(self) -> str:
        return self.account


class Order(models.Model):
    """What the operator wants done by the process that keeps the gallery. ``failure`` – an error's code."""

    class Kind(models.TextChoices):
        """What to do."""

        ROTATE = "rotate"
        REBUILD = "rebuild"

    gallery = models.ForeignKey(Gallery, on_delete=models.CASCADE, related_name="orders")
    kind = models.CharField(max_length=10, choices=Kind)
    noted_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=60, blank=True)

    class Meta:  # noqa: D106 – Django's
        ordering = ("id",)

    def __str__(self) -> str:
        return self.kind
