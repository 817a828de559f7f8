"""People with devices, and the clock they live by: what the tests of the key holder are told with."""

import secrets
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric import ec
from numpy.typing import NDArray

from veilface.keyholder.client import KeyHolderApi
from veilface.keyholder.messages import DeviceRecord, Grant
from veilface.keyholder.store import FILE_NAME
from veilface.match import masks
from veilface.match.evidence import enrol_evidence, verify_evidence
from veilface.protect import envelope
from veilface.protect.calibration import model_fp
from veilface.protect.envelope import Header, MessageType, Receipt
from veilface.protect.rlwe import NORM_BYTES, RANGE_BYTES, SCORE_BYTES
from veilface.protect.scheme import Protection, protection

Vector = NDArray[np.float64]
CONTEXT = envelope.context_hash(envelope.LABEL_LOGIN, "https://veilface.test", bytes(32))


def unit(seed: int) -> Vector:
    """A vector of length 1 that stands for somebody's face."""
    vector = np.random.default_rng(seed).normal(size=128)
    return np.asarray(vector / np.linalg.norm(vector), np.float64)


FACE, STRANGER = unit(1), unit(2)


class Clock:
    """Unix ms that only move when told to."""

    def __init__(self) -> None:
        self.now_ms = 1_800_000_000_000

    def __call__(self) -> int:
        return self.now_ms

    def advance(self, *, seconds: float = 0, hours: float = 0, days: float = 0) -> None:
        self.now_ms += round(1000 * (seconds + 3600 * (hours + 24 * days)))


PARTS = {
    "score": slice(0, SCORE_BYTES),
    "norm": slice(SCORE_BYTES, SCORE_BYTES + NORM_BYTES),
    "range": slice(SCORE_BYTES + NORM_BYTES, SCORE_BYTES + NORM_BYTES + RANGE_BYTES),
}
"""Where the ciphertexts are in the evidence about a homomorphic probe."""


def with_part(evidence: bytes, name: str, part: bytes) -> bytes:
    """The evidence about a probe with one ciphertext exchanged."""
    place = PARTS[name]
    return evidence[: place.start] + part + evidence[place.stop :]


@dataclass
class Signed:
    """A header and its signature, and what goes with them."""

    header: Header
    signature: bytes
    body: dict[str, bytes] = field(default_factory=dict)

    @property
    def arguments(self) -> dict[str, bytes]:
        return {"header": self.header.to_bytes(), "signature": self.signature, **self.body}


@dataclass
class Person:
    """One account on one device."""

    holder: KeyHolderApi
    account: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    device: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    template: bytes = b""
    scheme: str = "homomorphic"
    token: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    known_epochs: dict[bytes, int] = field(default_factory=dict)
    known_evidence: dict[tuple[bytes, bytes], bytes] = field(default_factory=dict)

    @property
    def protection(self) -> Protection:
        return protection(self.scheme)

    @property
    def point(self) -> bytes:
        return envelope.public_point(self.key.public_key())

    def grant(self, type_: MessageType, context: bytes = CONTEXT) -> Grant:
        return self.holder.issue_challenge(
            type=type_,
            account=self.account,
            device=self.device,
            context_hash=context,
            suite=self.protection.suite if type_ is MessageType.ENROL else None,
        )

    def sign(self, header: Header, **body: bytes) -> Signed:
        return Signed(header, envelope.sign_header(self.key, header), body)

    def message(self, type_: MessageType, *, context: bytes = CONTEXT, body: bytes = b"", **fields: Any) -> Header:
        challenge = fields.pop("challenge", None) or self.grant(type_, context).challenge
        return Header(
            type=type_,
            account_id=self.account,
            device_id=self.device,
            challenge=challenge,
            issued_ms=0,
            context_hash=context,
            body_hash=envelope.sha256(body),
            **fields,
        )

    # --- devices ---

    def registration(self) -> Signed:
        context = envelope.device_context(self.point, self.device)
        return self.sign(self.message(MessageType.DEVICE, context=context), public_key=self.point)

    def register(self) -> DeviceRecord:
        return self.holder.register_device(**self.registration().arguments)

    def second_device(self) -> "Person":
        return Person(self.holder, account=self.account, template=self.template, scheme=self.scheme, token=self.token)

    def approval(self, other: "Person") -> Signed:
        context = envelope.device_context(other.point, other.device)
        return self.sign(self.message(MessageType.DEVICE, context=context), device_id=other.device)

    def revocation(self, device: bytes) -> Signed:
        context = envelope.revocation_context(device)
        return self.sign(self.message(MessageType.REVOKE, context=context), device_id=device)

    # --- templates ---

    def enrolment(self, face: Vector = FACE) -> Signed:
        grant = self.grant(MessageType.ENROL)
        assert grant.key_fp is not None
        assert grant.epoch is not None
        self.known_epochs[grant.key_fp] = grant.epoch
        public_key = self.holder.public_key(grant.key_fp)
        body = self.protection.enrol(face, key=public_key, token=self.token)
        made = enrol_evidence(self.protection, body, masks=partial(masks.prepare, public_key, purpose="enrol"))
        header = self.message(
            MessageType.ENROL,
            body=body,
            suite=self.protection.suite,
            challenge=grant.challenge,
            key_fp=grant.key_fp,
            model_fp=model_fp(self.scheme),
        )
        signed = self.sign(header, evidence=made)
        self.template = body
        return signed

    def enrol(self, face: Vector = FACE) -> Receipt:
        """Enrol and, if accepted, activate: what the server does in two steps."""
        before, signed = self.template, self.enrolment(face)
        receipt = Receipt.parse(self.holder.enrol(**signed.arguments))
        if receipt.outcome == envelope.Outcome.ACCEPTED:
            self.activate(signed)
        else:
            self.template = before
        return receipt

    def activate(self, signed: Signed) -> None:
        status = self.holder.account_status(self.account)
        epoch = self.epoch_of(signed)
        self.holder.activate(account=self.account, epoch=epoch, template_hash=signed.header.body_hash)
        assert self.holder.account_status(self.account).epoch == epoch != status.epoch

    def epoch_of(self, signed: Signed) -> int:
        return self.known_epochs[signed.header.key_fp]

    def evidence(self, face: Vector, key_fp: bytes) -> bytes:
        """Made once a face and key: the key holder judges it anew under every challenge."""
        known = self.known_evidence.get((face.tobytes(), key_fp))
        if known is None:
            public_key = self.holder.public_key(key_fp)
            probe = self.protection.probe(face, key=public_key, token=self.token)
            fresh = partial(masks.prepare, public_key, purpose="verify")
            known = verify_evidence(self.protection, self.template, probe, masks=fresh)
            self.known_evidence[face.tobytes(), key_fp] = known
        return known

    def verification(
        self, face: Vector = FACE, *, type_: MessageType = MessageType.VERIFY, context: bytes = CONTEXT
    ) -> Signed:
        grant = self.grant(type_, context)
        assert grant.key_fp is not None
        assert grant.template_hash is not None
        header = self.message(
            type_,
            context=context,
            suite=self.protection.suite,
            challenge=grant.challenge,
            key_fp=grant.key_fp,
            model_fp=model_fp(self.scheme),
            template_hash=grant.template_hash,
        )
        return self.sign(header, evidence=self.evidence(face, grant.key_fp))

    def verify(self, face: Vector = FACE) -> Receipt:
        return Receipt.parse(self.holder.verify(**self.verification(face).arguments))

    def deletion(self) -> Signed:
        grant = self.grant(MessageType.DELETE)
        assert grant.key_fp is not None
        assert grant.template_hash is not None
        header = self.message(
            MessageType.DELETE,
            suite=self.protection.suite,
            challenge=grant.challenge,
            key_fp=grant.key_fp,
            template_hash=grant.template_hash,
        )
        return self.sign(header)


def dump(data: Path) -> list[str]:
    """Every row of every table."""
    with closing(sqlite3.connect(f"file:{data / FILE_NAME}?mode=ro", uri=True)) as db:
        return list(db.iterdump())
