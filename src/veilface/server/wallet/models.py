"""Wallets and the double-entry ledger below them. Amounts are whole minor units (fen); no float comes near them."""

from typing import Any, NoReturn

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from veilface.server.accounts.models import DIGEST_LENGTH, ID_LENGTH, Account, new_id
from veilface.server.wallet.errors import RecordFinal

CURRENCY_LENGTH = 3
NAME_LENGTH = 40


class Wallet(models.Model):
    """One account of the ledger: a person's, or a provider's, from which all money comes.

    ``posted`` is the sum of its entries; ``held`` is what pending transfers will take. A person's ``posted`` never
    falls below ``held``: the database itself refuses it. ``id`` is what payers see of a payee, never the account's id.
    """

    class Kind(models.TextChoices):
        """Whose money it is."""

        PERSON = "person"
        PROVIDER = "provider"

    id = models.CharField(max_length=ID_LENGTH, primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=10, choices=Kind)
    owner = models.OneToOneField(Account, on_delete=models.SET_NULL, null=True, related_name="wallet")
    provider = models.CharField(max_length=20, null=True, unique=True)  # noqa: DJ001 – NULL is not unique, "" would be
    currency = models.CharField(max_length=CURRENCY_LENGTH)
    posted = models.BigIntegerField(default=0)
    held = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:  # noqa: D106 – Django's
        constraints = (
            models.CheckConstraint(condition=Q(held__gte=0), name="wallet_holds_are_not_negative"),
            models.CheckConstraint(
                condition=Q(kind="provider") | Q(posted__gte=F("held")), name="wallet_is_never_overdrawn"
            ),
        )

    def __str__(self) -> str:
        return self.id

    @property
    def available(self) -> int:
        """What may be spent now, in minor units."""
        return self.posted - self.held


class FinalRecords(models.QuerySet[Any]):
    """Rows that are written once; the database's triggers say the same."""

    def update(self, **_fields: Any) -> NoReturn:
        """Never."""
        raise RecordFinal

    def delete(self) -> NoReturn:
        """Never."""
        raise RecordFinal


class WrittenOnce(models.Model):
    """A row that is inserted and then stays."""

    class Meta:  # noqa: D106 – Django's
        abstract = True

    def save(self, *args: Any, **options: Any) -> None:
        """Insert; a second time is refused."""
        if not self._state.adding:
            raise RecordFinal
        super().save(*args, **options)

    def delete(self, *_args: Any, **_options: Any) -> NoReturn:
        """Never."""
        raise RecordFinal


class Transfer(WrittenOnce):
    """An amount from one wallet to another. Only its state changes, once, from pending to one of the other three."""

    class Kind(models.TextChoices):
        """Why money moves."""

        TOP_UP = "top_up"
        PAYMENT = "payment"
        REFUND = "refund"

    class State(models.TextChoices):
        """Where it stands."""

        PENDING = "pending"  # held back from the one, not yet with the other
        POSTED = "posted"
        VOIDED = "voided"
        EXPIRED = "expired"

    number = models.BigAutoField(primary_key=True)
    id = models.CharField(max_length=ID_LENGTH, unique=True, default=new_id, editable=False)
    kind = models.CharField(max_length=10, choices=Kind)
    source = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="outgoing")
    target = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="incoming")
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=CURRENCY_LENGTH)
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(db_index=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:  # noqa: D106 – Django's
        constraints = (
            models.CheckConstraint(condition=Q(amount__gt=0), name="transfer_moves_something"),
            models.CheckConstraint(condition=~Q(source=F("target")), name="transfer_goes_elsewhere"),
        )
        indexes = (
            models.Index(fields=("source", "-created_at"), name="transfer_by_source"),
            models.Index(fields=("target", "-created_at"), name="transfer_by_target"),
        )

    def __str__(self) -> str:
        return self.id


class Entry(WrittenOnce):
    """One side of a posted transfer: negative where money left, positive where it arrived. Never changed."""

    transfer = models.ForeignKey(Transfer, on_delete=models.PROTECT, related_name="entries")
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="entries")
    amount = models.BigIntegerField()
    created_at = models.DateTimeField(default=timezone.now)

    objects = FinalRecords.as_manager()

    class Meta:  # noqa: D106 – Django's
        constraints = (models.UniqueConstraint(fields=("transfer", "wallet"), name="one_entry_per_side"),)

    def __str__(self) -> str:
        return f"{self.amount:+d}"


class Payment(models.Model):
    """An order to pay, then the payment: the statement's fields (protocol §8), and the proof once it is paid."""

    class State(models.TextChoices):
        """Where it stands. One that is not paid may be tried again until it expires."""

        OPEN = "open"
        PAYING = "paying"
        PAID = "paid"

    id = models.CharField(max_length=ID_LENGTH, primary_key=True, default=new_id, editable=False)
    payer = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="payments")
    payee = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="earnings")
    payee_name = models.CharField(max_length=NAME_LENGTH)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=CURRENCY_LENGTH)
    nonce = models.CharField(max_length=ID_LENGTH, unique=True)
    expires_ms = models.PositiveBigIntegerField(db_index=True)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    confirmed = models.BooleanField(default=False)  # by password or passkey, beside the face
    created_at = models.DateTimeField(default=timezone.now)
    # The transfer of the attempt under way, or of the one that paid.
    transfer = models.OneToOneField(Transfer, on_delete=models.PROTECT, null=True, related_name="payment")
    refunded = models.BigIntegerField(default=0)
    header = models.BinaryField(default=b"")
    signature = models.BinaryField(default=b"")
    device_public_key = models.CharField(max_length=130, blank=True)
    receipt = models.BinaryField(default=b"")

    class Meta:  # noqa: D106 – Django's
        constraints = (
            models.CheckConstraint(
                condition=Q(refunded__gte=0) & Q(refunded__lte=F("amount")), name="refunds_give_back_what_was_paid"
            ),
        )

    def __str__(self) -> str:
        return self.id


class Refund(models.Model):
    """Which payment a transfer gives back, in part or in whole."""

    transfer = models.OneToOneField(Transfer, on_delete=models.PROTECT, primary_key=True, related_name="refund")
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")

    def __str__(self) -> str:
        return str(self.pk)


class TopUp(models.Model):
    """Money asked of a provider, which says later whether it came."""

    transfer = models.OneToOneField(Transfer, on_delete=models.PROTECT, primary_key=True, related_name="top_up")
    provider = models.CharField(max_length=20)

    def __str__(self) -> str:
        return str(self.pk)


class Request(models.Model):
    """A changing request under its client-made key: claimed, then answered once, with the change it made."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="requests")
    key = models.CharField(max_length=64)
    body_hash = models.CharField(max_length=DIGEST_LENGTH)
    claim = models.CharField(max_length=ID_LENGTH)
    claimed_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, db_index=True)
    answer = models.TextField(blank=True)

    class Meta:  # noqa: D106 – Django's
        constraints = (models.UniqueConstraint(fields=("account", "key"), name="one_request_per_key"),)

    def __str__(self) -> str:
        return self.key
