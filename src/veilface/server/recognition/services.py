"""Verification: one probe against the account's current template. The probe is computed with and forgotten."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from veilface.keyholder.errors import WrongTemplate
from veilface.match.verification import probe_evidence
from veilface.protect.calibration import cosine_threshold
from veilface.protect.envelope import LABEL_LOGIN, MessageType, Outcome, Receipt, split_message
from veilface.protect.rlwe import CIPHERTEXT_BYTES
from veilface.server import keyholding
from veilface.server.accounts.models import Account
from veilface.server.enrolment import evidence
from veilface.server.enrolment.models import Challenge
from veilface.server.enrolment.services import ENROLMENT_BYTES, check, retry_after_s

VERIFICATION_BYTES: Final = ENROLMENT_BYTES


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The key holder's answer. ``stages_ms`` says how long each stage took; it goes to the device and nowhere else."""

    outcome: Outcome
    receipt: bytes
    retry_after_s: int
    stages_ms: dict[str, float]


@dataclass(frozen=True)
class Stopwatch:
    """Wall-clock milliseconds of named stages."""

    stages_ms: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time one stage."""
        begin = time.perf_counter()
        yield
        self.stages_ms[name] = (time.perf_counter() - begin) * 1000


def verify(account: Account, *, data: bytes, binding: bytes) -> Verdict:
    """Judge ``H ‖ signature ‖ P`` (74,048 B).

    Fails closed: whatever goes wrong raises, and only the key holder's signed receipt says *accepted*. Nothing of the
    probe is written anywhere.
    """
    watch = Stopwatch()
    with watch.stage("check"):
        message = split_message(data, body_bytes=CIPHERTEXT_BYTES)
        checked = check(account, message, type_=MessageType.VERIFY, label=LABEL_LOGIN, binding=binding)
        template = _template(account, checked.challenge)
    with watch.stage("masks"):
        masks = evidence.masks(challenge=checked.challenge.challenge, key_fp=checked.challenge.key_fp, purpose="verify")
    with watch.stage("match"):
        proof = probe_evidence(template, message.body, threshold=cosine_threshold(), masks=masks)
    with watch.stage("decide"):
        receipt = keyholding.keyholder().verify(
            header=message.header_bytes,
            signature=message.signature,
            evidence=proof.to_bytes(),
        )
    outcome = Receipt.parse(receipt).outcome
    wait = retry_after_s(account) if outcome is Outcome.RETRY_LATER else 0
    return Verdict(outcome=outcome, receipt=receipt, retry_after_s=wait, stages_ms=watch.stages_ms)


def _template(account: Account, challenge: Challenge) -> bytes:
    """The ciphertext the key holder calls current, in whatever state its row is."""
    row = account.templates.filter(template_hash=challenge.template_hash).first()
    if row is None:
        raise WrongTemplate
    return bytes(row.data)
