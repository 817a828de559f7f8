"""An account that lives as long as a measurement: a real key holder on a temporary folder, one signed device.

It has one protection, and the device its token where the protection takes one.

Nothing is left out or made easier but the limits on how often one may ask, which would end any measurement
after twenty decisions: challenges, signatures, durable counters, audit and receipts are those of production.
"""

import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from veilface.evaluate.errors import PathBroken
from veilface.evaluate.stopwatch import Stopwatch
from veilface.keyholder.core import KeyHolder, initialise
from veilface.keyholder.limits import Policy
from veilface.keyholder.messages import Grant
from veilface.keyholder.office import system_clock_ms
from veilface.match.evidence import Masks, enrol_evidence
from veilface.match.masks import Purpose, prepare
from veilface.protect.calibration import model_fp
from veilface.protect.envelope import (
    LABEL_ENROL,
    LABEL_LOGIN,
    ZERO_HASH,
    Header,
    MessageType,
    Outcome,
    Receipt,
    context_hash,
    device_context,
    public_point,
    sha256,
    sign_header,
)
from veilface.protect.homomorphic import Embedding
from veilface.protect.scheme import OpenProtection, Protection
from veilface.protect.suites import Suite
from veilface.protect.token import fresh_token

ORIGIN: Final = "http://localhost"
_ANY_NUMBER: Final = 1 << 30
UNLIMITED: Final = Policy(
    pause_after=_ANY_NUMBER,
    disable_after=_ANY_NUMBER,
    per_hour=_ANY_NUMBER,
    per_day=_ANY_NUMBER,
    failures_per_30_days=_ANY_NUMBER,
)
Observer = Callable[[str, float], None]


class TemporaryAccount:
    """One device and one key holder in this process; :func:`temporary_account` makes it."""

    def __init__(self, keyholder: KeyHolder, protection: Protection) -> None:
        self.protection = protection
        self._keyholder = keyholder
        self._token = b""
        self._account, self._device, self._binding = (secrets.token_bytes(size) for size in (16, 16, 32))
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._register()

    def enrol(self, embedding: Embedding, *, watch: Stopwatch | None = None) -> bytes:
        """Enrols a face, or renews it, with a new token where there is one; the stored template.

        Timed as ``protect_template`` (device) and ``enrol`` (matcher and key holder, from message to activation).
        """
        watch = watch or Stopwatch()
        grant = self._grant(MessageType.ENROL, LABEL_ENROL)
        key = self._keyholder.public_key(_known(grant.key_fp))
        with watch.stage("protect_template"):
            self._token = fresh_token() if self.protection.token_bytes else b""
            template = self.protection.enrol(embedding, key=key, token=self._token)
            header = self._header(MessageType.ENROL, LABEL_ENROL, grant, body=template)
            signature = sign_header(self._key, header)
        masks = prepared(self.protection, key, purpose="enrol")
        with watch.stage("enrol"):
            evidence = enrol_evidence(self.protection, template, masks=masks)
            receipt = self._keyholder.enrol(header=header.to_bytes(), signature=signature, evidence=evidence)
            if Receipt.parse(receipt).outcome is not Outcome.ACCEPTED:
                raise PathBroken(stage="enrol")
            self._keyholder.activate(account=self._account, epoch=grant.epoch or 0, template_hash=sha256(template))
        return template

    def challenge(self) -> tuple[Grant, bytes]:
        """A challenge for one verification, and the public key to protect the probe with."""
        grant = self._grant(MessageType.VERIFY, LABEL_LOGIN)
        return grant, self._keyholder.public_key(_known(grant.key_fp))

    def probe(self, embedding: Embedding, *, key: bytes) -> bytes:
        """The protected probe."""
        return self.protection.probe(embedding, key=key, token=self._token)

    def signed(self, grant: Grant, probe: bytes) -> tuple[bytes, bytes]:
        """The header for a probe and the device's signature."""
        header = self._header(MessageType.VERIFY, LABEL_LOGIN, grant, body=probe)
        return header.to_bytes(), sign_header(self._key, header)

    def decide(self, header: bytes, signature: bytes, evidence: bytes) -> bytes:
        """The key holder's whole answer: the receipt."""
        return self._keyholder.verify(header=header, signature=signature, evidence=evidence)

    def accepted(self, header: bytes, receipt: bytes) -> bool:
        """What the receipt says, checked as a device would."""
        parsed = Receipt.parse(receipt)
        parsed.verify(self._keyholder.identity().public_key, header=header)
        return parsed.outcome is Outcome.ACCEPTED

    def _register(self) -> None:
        public_key = public_point(self._key.public_key())
        context = device_context(public_key, self._device)
        grant = self._keyholder.issue_challenge(
            type=MessageType.DEVICE, account=self._account, device=self._device, context_hash=context
        )
        header = self._message(MessageType.DEVICE, grant, context=context, body=b"")
        self._keyholder.register_device(
            header=header.to_bytes(), signature=sign_header(self._key, header), public_key=public_key
        )

    def _grant(self, kind: MessageType, label: bytes) -> Grant:
        context = context_hash(label, ORIGIN, self._binding)
        return self._keyholder.issue_challenge(
            type=kind,
            account=self._account,
            device=self._device,
            context_hash=context,
            suite=self.protection.suite if kind is MessageType.ENROL else None,
        )

    def _header(self, kind: MessageType, label: bytes, grant: Grant, *, body: bytes) -> Header:
        return self._message(kind, grant, context=context_hash(label, ORIGIN, self._binding), body=body)

    def _message(self, kind: MessageType, grant: Grant, *, context: bytes, body: bytes) -> Header:
        about_face = kind is not MessageType.DEVICE
        return Header(
            type=kind,
            suite=self.protection.suite if about_face else Suite.HOMOMORPHIC,
            account_id=self._account,
            device_id=self._device,
            challenge=grant.challenge,
            issued_ms=system_clock_ms(),
            context_hash=context,
            body_hash=sha256(body),
            key_fp=grant.key_fp or ZERO_HASH,
            model_fp=model_fp(self.protection.name) if about_face else ZERO_HASH,
            template_hash=(grant.template_hash or ZERO_HASH) if kind is MessageType.VERIFY else ZERO_HASH,
        )


@contextmanager
def temporary_account(
    protection: Protection, *, observe: Observer = lambda _stage, _seconds: None
) -> Iterator[TemporaryAccount]:
    """An account with a key holder of its own; both are gone afterwards. ``observe`` is told the stages' times."""
    with tempfile.TemporaryDirectory(prefix="veilface-") as folder:
        initialise(Path(folder))
        with KeyHolder(Path(folder), observe=observe, policy=UNLIMITED) as keyholder:
            yield TemporaryAccount(keyholder, protection)


def prepared(protection: Protection, key: bytes, *, purpose: Purpose, watch: Stopwatch | None = None) -> Masks:
    """What a matcher has ready when the message comes: masks for a ciphertext, timed as ``prepare``, else nothing."""
    if isinstance(protection, OpenProtection):
        return partial(prepare, key, purpose=purpose)  # which nobody calls
    with (watch or Stopwatch()).stage("prepare"):
        masks = prepare(key, purpose=purpose)
    return lambda: masks


def _known(fingerprint: bytes | None) -> bytes:
    if fingerprint is None:
        raise PathBroken(stage="challenge")
    return fingerprint
