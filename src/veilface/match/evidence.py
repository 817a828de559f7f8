"""What the key holder is given to decide, whatever the protection (protocol §6)."""

from collections.abc import Callable

from veilface.match import keyed, verification
from veilface.match.masks import MaskSet
from veilface.protect.calibration import cosine_threshold
from veilface.protect.scheme import OpenProtection, Protection

Masks = Callable[[], MaskSet]
"""Gives the masks of one evaluation out, where the protection needs any."""


def enrol_evidence(protection: Protection, template: bytes, *, masks: Masks) -> bytes:
    """Evaluate an untrusted template before it is stored: ``norm‖range``, or nothing for a keyed one.

    Raises :class:`~veilface.protect.errors.ProtectError` for bytes no honest device sends.
    """
    if isinstance(protection, OpenProtection):
        protection.check_template(template)
        return b""
    return verification.template_evidence(template, masks=masks()).to_bytes()


def verify_evidence(protection: Protection, template: bytes, probe: bytes, *, masks: Masks) -> bytes:
    """Evaluate an untrusted probe against a stored template: ``score‖norm‖range``, or a keyed one's blinded sign.

    Raises as :func:`enrol_evidence` does.
    """
    if isinstance(protection, OpenProtection):
        return keyed.probe_evidence(protection, template, probe)
    found = verification.probe_evidence(template, probe, threshold=cosine_threshold(), masks=masks())
    return found.to_bytes()
