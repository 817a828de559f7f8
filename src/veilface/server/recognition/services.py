"""One probe against the account's current template, for a login or a payment. It is computed with and forgotten."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from veilface.keyholder.errors import WrongTemplate
from veilface.match.evidence import verify_evidence
from veilface.match.masks import MaskSet
from veilface.protect.envelope import LABEL_LOGIN, MessageType, Outcome, Receipt, sha256, split_message
from veilface.protect.scheme import PROBE_BYTES, protection_of
from veilface.server import keyholding
from veilface.server.accounts import messages
from veilface.server.accounts.models import Account
from veilface.server.enrolment import evidence
from veilface.server.enrolment.models import Challenge
from veilface.server.enrolment.services import BODILESS_BYTES, CheckedMessage, check, retry_after_s
from veilface.server.recognition import liveness

VERIFICATION_LENGTHS: Final = frozenset(BODILESS_BYTES + length for length in PROBE_BYTES.values())


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
        """Time one stage, less the stages inside it."""
        begin, before = time.perf_counter(), sum(self.stages_ms.values())
        yield
        inside = sum(self.stages_ms.values()) - before
        self.stages_ms[name] = (time.perf_counter() - begin) * 1000 - inside


def verify(account: Account, *, data: bytes, binding: bytes) -> Verdict:
    """Judge ``H ‖ signature ‖ P``, bound to this session."""
    watch = Stopwatch()
    with watch.stage("check"):
        message = split_message(data, body_bytes=PROBE_BYTES)
        context = messages.session_context(LABEL_LOGIN, binding)
        checked = check(account, message, type_=MessageType.VERIFY, context=context)
    return judge(account, checked, watch)


def judge(account: Account, checked: CheckedMessage, watch: Stopwatch) -> Verdict:
    """Compare the probe of a message whose challenge is spent, and ask the key holder.

    Fails closed: whatever goes wrong raises, and only the key holder's signed receipt says *accepted*. Nothing of the
    probe is written anywhere, and no score leaves the matcher.
    """
    message, probe = checked.message, liveness.probe_of(checked.message)
    with watch.stage("look_up"):
        template = _template(account, checked.challenge)

    def masks() -> MaskSet:
        with watch.stage("masks"):
            waiting = checked.challenge
            return evidence.masks(challenge=waiting.challenge, key_fp=waiting.key_fp, purpose="verify")

    with watch.stage("match"):
        proof = verify_evidence(protection_of(message.header.suite), template, probe, masks=masks)
    with watch.stage("decide"):
        receipt = keyholding.keyholder().verify(
            header=message.header_bytes,
            signature=message.signature,
            evidence=proof,
        )
    outcome = Receipt.parse(receipt).outcome
    wait = retry_after_s(account) if outcome is Outcome.RETRY_LATER else 0
    return Verdict(outcome=outcome, receipt=receipt, retry_after_s=wait, stages_ms=watch.stages_ms)


def _template(account: Account, challenge: Challenge) -> bytes:
    """The template the key holder calls current, in whatever state its row is; no other bytes put in its place."""
    row = account.templates.filter(template_hash=challenge.template_hash).first()
    template = b"" if row is None else bytes(row.data)
    if sha256(template).hex() != challenge.template_hash:
        raise WrongTemplate
    return template
