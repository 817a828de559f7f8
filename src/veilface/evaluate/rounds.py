"""One protection under measurement: enrolled again and again by one account, verified by another, stage by stage.

Two accounts, so that what their key holders report of their own steps is about verifications alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Self

from veilface.evaluate.account import TemporaryAccount, prepared, temporary_account
from veilface.evaluate.errors import PathBroken
from veilface.evaluate.stopwatch import Spread, Stopwatch
from veilface.evaluate.synthetic import at_cosine, unit_vectors
from veilface.match.evidence import verify_evidence
from veilface.protect.scheme import Protection

GENUINE_COSINE: Final = 0.75
FACE, _OTHER = unit_vectors("veilface bench", 2)
SAME_FACE: Final = at_cosine(GENUINE_COSINE, FACE, _OTHER)


@dataclass(frozen=True, kw_only=True)
class ProtectionBench:
    """What one protection costs: milliseconds by stage, and bytes."""

    stages: dict[str, Spread]
    template: int
    probe: int
    public_key: int
    evidence: int

    @classmethod
    def of(cls, protection: Protection, watch: Stopwatch) -> Self:
        """The times on the stopwatch beside the protection's own sizes."""
        return cls(
            stages=watch.spreads(),
            template=protection.template_bytes,
            probe=protection.probe_bytes,
            public_key=protection.key_bytes,
            evidence=protection.verify_evidence_bytes,
        )


class Trial:
    """Rounds of one protection; :func:`trial` makes it. ``watch`` holds what was measured."""

    def __init__(self, *, verifying: TemporaryAccount, enrolling: TemporaryAccount, watch: Stopwatch) -> None:
        self.watch = watch
        self._verifying, self._enrolling = verifying, enrolling
        self._template = verifying.enrol(FACE)

    def round(self) -> None:
        """One enrolment and one verification; raises ``PathBroken`` if the same face is refused."""
        self._enrolling.enrol(FACE, watch=self.watch)
        account, watch = self._verifying, self.watch
        grant, key = account.challenge()
        with watch.stage("protect"):
            probe = account.probe(SAME_FACE, key=key)
        header, signature = account.signed(grant, probe)
        with watch.stage("server_path"):
            masks = prepared(account.protection, key, purpose="verify", watch=watch)
            with watch.stage("answer"):
                with watch.stage("match"):
                    evidence = verify_evidence(account.protection, self._template, probe, masks=masks)
                with watch.stage("keyholder"):
                    receipt = account.decide(header, signature, evidence)
        if not account.accepted(header, receipt):
            raise PathBroken(stage="verify")

    def report(self) -> ProtectionBench:
        """What was measured so far."""
        return ProtectionBench.of(self._verifying.protection, self.watch)


@contextmanager
def trial(protection: Protection) -> Iterator[Trial]:
    """A protection with two accounts that are gone afterwards."""
    watch = Stopwatch()
    with (
        temporary_account(protection, observe=lambda stage, spent: watch.add(f"keyholder_{stage}", spent)) as verifying,
        temporary_account(protection) as enrolling,
    ):
        made = Trial(verifying=verifying, enrolling=enrolling, watch=watch)
        watch.clear()
        yield made
