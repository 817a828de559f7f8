"""Steps 1 and 3 of protocol §7: a message is parsed into inert values, and let in once, by its device's signature."""

from dataclasses import dataclass
from sqlite3 import Connection
from typing import Final, Self

from veilface.keyholder import challenges
from veilface.keyholder.errors import BadSignature, Malformed
from veilface.keyholder.messages import digest, exactly
from veilface.protect import envelope
from veilface.protect.envelope import ZERO_HASH, Header, MessageType
from veilface.protect.errors import BadSignature as SignatureDoesNotVerify
from veilface.protect.errors import MalformedEnvelope
from veilface.protect.suites import Suite

_EMPTY_BODY: Final = digest(b"")
_WITHOUT_BODY: Final = {MessageType.REVOKE, MessageType.DELETE, MessageType.DEVICE}
_WITHOUT_KEY: Final = {MessageType.REVOKE, MessageType.DEVICE}
_WITHOUT_TEMPLATE: Final = {MessageType.ENROL, MessageType.IDENTIFY, *_WITHOUT_KEY}


@dataclass(frozen=True, kw_only=True)
class Message:
    """A header that parses, its bytes, and a signature nobody has checked yet."""

    header: Header
    header_bytes: bytes
    signature: bytes

    @classmethod
    def parse(cls, header: bytes, signature: bytes, *expected: MessageType) -> Self:
        """Raises ``Malformed`` unless this is a header of an expected type whose unused fields are empty."""
        exactly(signature, envelope.SIGNATURE_BYTES, "signature")
        try:
            parsed = Header.parse(header)
        except MalformedEnvelope as error:
            raise Malformed(**error.details) from error
        if parsed.type not in expected:
            raise Malformed(field="type", got=int(parsed.type), expected=", ".join(str(int(one)) for one in expected))
        message = cls(header=parsed, header_bytes=header, signature=signature)
        if parsed.type in _WITHOUT_BODY:
            message.require_no_body()
        if parsed.type in _WITHOUT_KEY:
            _same(parsed.key_fp.hex(), ZERO_HASH.hex(), "key_fp")
            _same(int(parsed.suite), int(Suite.HOMOMORPHIC), "suite")
        if parsed.type in _WITHOUT_TEMPLATE:
            message.require_no_template()
        return message

    @property
    def account(self) -> bytes:
        """The account (16 B) the message is about."""
        return self.header.account_id

    @property
    def device(self) -> bytes:
        """The device (16 B) that signed."""
        return self.header.device_id

    @property
    def digest(self) -> bytes:
        """SHA-256(H): how receipts and the audit log name this message."""
        return digest(self.header_bytes)

    def require_context(self, context_hash: bytes) -> None:
        """Raises ``Malformed`` unless the message is about exactly this."""
        _same(self.header.context_hash.hex(), context_hash.hex(), "context_hash")

    def require_no_body(self) -> None:
        """Raises ``Malformed`` unless nothing follows the message."""
        _same(self.header.body_hash.hex(), _EMPTY_BODY.hex(), "body_hash")

    def require_no_template(self) -> None:
        """Raises ``Malformed`` unless the message is about no template that is known already."""
        _same(self.header.template_hash.hex(), ZERO_HASH.hex(), "template_hash")

    def admit(self, db: Connection, *, public_key: bytes, challenge_key: bytes, now_ms: int) -> None:
        """Check challenge and signature, then spend the challenge inside the caller's transaction."""
        challenges.check(
            db,
            key=challenge_key,
            challenge=self.header.challenge,
            subject=challenges.Subject(
                type=self.header.type,
                account=self.account,
                device=self.device,
                context_hash=self.header.context_hash,
            ),
            now_ms=now_ms,
        )
        try:
            envelope.verify_signature(public_key, self.header_bytes, self.signature)
        except MalformedEnvelope as error:
            raise Malformed(**error.details) from error
        except SignatureDoesNotVerify as error:
            raise BadSignature from error
        challenges.spend(db, challenge=self.header.challenge)


def _same(got: str | int, expected: str | int, field: str) -> None:
    if got != expected:
        raise Malformed(field=field, got=got, expected=expected)
