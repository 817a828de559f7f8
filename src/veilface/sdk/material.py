"""What a face is protected with: the certified key of an epoch, and this device's token where the protection has one.

A token is written down before the template made with it is sent, and those of earlier epochs are forgotten only when a
later epoch is known to be in force. So a renewal that is killed or lost anywhere leaves the token that counts.
"""

from dataclasses import dataclass

from veilface.protect.homomorphic import Embedding
from veilface.protect.scheme import Protection, protection_of
from veilface.protect.token import fresh_token
from veilface.sdk.errors import KeyNotTrusted, OtherProtection, TokenElsewhere
from veilface.sdk.session import Action, Session


@dataclass(frozen=True, kw_only=True, repr=False)
class Material:
    """One epoch's public key, and its token (32 B, or none). Not to be shown: it has no repr."""

    protection: Protection
    key: bytes
    token: bytes

    def template(self, embedding: Embedding) -> bytes:
        """A unit embedding (128,), protected for storage."""
        return self.protection.enrol(embedding, key=self.key, token=self.token)

    def probe(self, embedding: Embedding) -> bytes:
        """A unit embedding (128,), protected for one comparison."""
        return self.protection.probe(embedding, key=self.key, token=self.token)


def fresh_material(session: Session, action: Action, protection: Protection) -> Material:
    """For an enrolment: the new epoch's key and a new token, which is on the disk when this returns.

    The token before it stays. Raises :class:`KeyNotTrusted` for the key of another protection, or of an epoch that
    was offered before: a server that offers a key again wants two templates under one, or the token that counts gone.
    """
    cert, key = session.certified_key(action)
    if cert.suite is not protection.suite:
        raise KeyNotTrusted(check="protection")
    if cert.epoch <= max(session.folder.pins().epoch, session.folder.tokens.newest(account=session.account_id)):
        raise KeyNotTrusted(check="new epoch")
    token = fresh_token() if protection.token_bytes else b""
    if token:
        session.folder.tokens.keep(token, account=session.account_id, epoch=cert.epoch)
    return Material(protection=protection, key=key, token=token)


def current_material(session: Session, action: Action, *, expected: Protection | None = None) -> Material:
    """For a verification: the key in force, and the token this device keeps for it.

    The key holder vouches for which protection it is. Raises :class:`OtherProtection` where that is not the
    ``expected`` one, and :class:`TokenElsewhere` where another device enrolled the face.
    """
    cert, key = session.certified_key(action)
    protection = protection_of(cert.suite)
    if expected is not None and expected.suite is not cert.suite:
        raise OtherProtection(got=protection.name, expected=expected.name)
    if not protection.token_bytes:
        return Material(protection=protection, key=key, token=b"")
    token = session.folder.tokens.find(account=session.account_id, epoch=cert.epoch)
    if token is None:
        raise TokenElsewhere(scheme=protection.name)
    return Material(protection=protection, key=key, token=token)
