"""One conversation between a registered device and its server: challenge, signed message, checked receipt.

What every verb needs and none may forget lives here: the key holder is the pinned one, the message names
this challenge, this key and this template, the receipt answers this very message, and the key holder's count
of decisions grew by what this device asked for.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from veilface.protect.calibration import model_fp
from veilface.protect.envelope import (
    LABEL_DELETE,
    LABEL_ENROL,
    LABEL_LOGIN,
    ZERO_HASH,
    Header,
    KeyCert,
    MessageType,
    Outcome,
    Receipt,
    context_hash,
    join_message,
    sha256,
    sign_header,
)
from veilface.protect.errors import ProtectError
from veilface.protect.scheme import protection_of, protections
from veilface.protect.suites import Suite
from veilface.sdk.answers import Challenge, Json, bytes_field
from veilface.sdk.client import Client
from veilface.sdk.errors import KeyNotTrusted, MalformedAnswer, NothingEnrolled, OtherModels, ServerRefused
from veilface.sdk.folder import DeviceFolder
from veilface.sdk.trust import check_count, check_key, check_keyholder, check_origin, check_receipt, fingerprint

FACE_ACTIONS: Final = {
    MessageType.ENROL: ("enrol", LABEL_ENROL),
    MessageType.VERIFY: ("verify", LABEL_LOGIN),
    MessageType.DELETE: ("delete", LABEL_DELETE),
}


@dataclass(frozen=True, kw_only=True)
class Action:
    """A challenge that was granted for one action, and the context the answer must name."""

    kind: MessageType
    context: bytes
    grant: Challenge
    granted_at: float

    def now_ms(self) -> int:
        """The time by the server's clock, so that a wrong clock here does not matter."""
        return self.grant.server_time_ms + round((time.monotonic() - self.granted_at) * 1000)

    @property
    def suite(self) -> Suite:
        """The protection that the granted key is of; the first one where the message is about no template."""
        if self.grant.key_cert is None:
            return Suite.HOMOMORPHIC
        try:
            return KeyCert.parse(self.grant.key_cert).suite
        except ProtectError as error:
            raise MalformedAnswer(what="key_cert") from error


def check_site(client: Client, *, server: str, keyholder_key: str) -> None:
    """Raises unless the server still is who it was, with the pinned key holder, and measures as this program does."""
    site = client.site()
    check_keyholder(offered=site.keyholder_key, expected_fingerprint=fingerprint(bytes.fromhex(keyholder_key)))
    check_origin(server=server, origin=site.origin)
    for known in protections():
        got, expected = site.model_fps.get(known.name, b""), model_fp(known.name)
        if got != expected:
            raise OtherModels(got=got.hex()[:16], expected=expected.hex()[:16])


class Session:
    """The device in ``folder`` speaking through ``client``."""

    def __init__(self, folder: DeviceFolder, client: Client) -> None:
        self.folder = folder
        self.client = client
        self.account = folder.account()
        self.account_id = bytes.fromhex(self.account.account_id)
        self._key = folder.key()

    def check_site(self) -> None:
        """Raises unless the server still is who it was, and measures and decides as this program does."""
        check_site(self.client, server=self.account.server, keyholder_key=self.folder.pins().keyholder_key)

    def begin(self, kind: MessageType, *, scheme: str | None = None, password: str | None = None) -> Action:
        """Asks for a challenge to enrol (with a ``scheme``), verify or delete."""
        name, label = FACE_ACTIONS[kind]
        context = context_hash(label, self.account.origin, bytes.fromhex(self.account.binding))
        return self._begin(kind, name=name, context=context, scheme=scheme, password=password)

    def begin_for_device(self, kind: MessageType, *, name: str, context: bytes) -> Action:
        """Asks for a challenge about a device, which has a context of its own."""
        return self._begin(kind, name=name, context=context, scheme=None, password=None)

    def _begin(
        self, kind: MessageType, *, name: str, context: bytes, scheme: str | None, password: str | None
    ) -> Action:
        granted_at = time.monotonic()
        grant = self.client.challenge(
            kind=name, device_id=self.account.device_id, context_hash=context, scheme=scheme, password=password
        )
        return Action(kind=kind, context=context, grant=grant, granted_at=granted_at)

    def certified_key(self, action: Action) -> tuple[KeyCert, bytes]:
        """The account's public key, and what the pinned key holder says of it.

        The certificate does not say that it is in force: a server could relay that of an epoch which is still pending.
        :meth:`decide` pins it once the key holder has accepted a template, or judged a probe, under it.
        """
        if action.grant.key_cert is None or action.grant.key_fp is None:
            raise KeyNotTrusted(check="certificate")
        kept = self.folder.public_key()
        key = kept if sha256(kept) == action.grant.key_fp else self.client.public_key(action.grant.key_fp)
        cert = check_key(
            pins=self.folder.pins(),
            account_id=self.account_id,
            certificate=action.grant.key_cert,
            public_key=key,
            now_ms=time.time_ns() // 1_000_000,
        )
        if key is not kept:
            self.folder.write_public_key(key)
        return cert, key

    def pin(self, cert: KeyCert) -> None:
        """Holds on to the key in force, and lets go of the tokens of every earlier one."""
        known = replace(self.folder.pins(), key_fp=cert.key_fp.hex(), epoch=cert.epoch, suite=int(cert.suite))
        self.folder.write_pins(known)
        self.folder.tokens.discard_before(cert.epoch, account=self.account_id)

    def header(self, action: Action, *, body: bytes = b"") -> Header:
        """What will be signed. Verification and deletion name the template they are about."""
        about_face = action.kind in FACE_ACTIONS
        about_template = action.kind in (MessageType.VERIFY, MessageType.DELETE)
        if about_template and action.grant.template_hash is None:
            raise NothingEnrolled
        return Header(
            type=action.kind,
            suite=action.suite,
            account_id=self.account_id,
            device_id=bytes.fromhex(self.account.device_id),
            challenge=action.grant.challenge,
            issued_ms=action.now_ms(),
            context_hash=action.context,
            body_hash=sha256(body),
            key_fp=action.grant.key_fp or ZERO_HASH if about_face else ZERO_HASH,
            model_fp=model_fp(protection_of(action.suite).name) if about_face else ZERO_HASH,
            template_hash=(action.grant.template_hash or ZERO_HASH) if about_template else ZERO_HASH,
        )

    def sign(self, header: Header) -> bytes:
        """The device's signature, 64 B."""
        return sign_header(self._key, header)

    def decide(
        self,
        action: Action,
        body: bytes,
        send: Callable[[bytes], Json],
        *,
        stated: Callable[[Json], Outcome | None] = lambda _: None,
    ) -> tuple[Json, Receipt]:
        """Sends a signed message that makes the key holder decide; the answer and its checked receipt.

        ``stated`` reads the outcome from the server's own words, which may not differ from the receipt. The request
        is counted before it leaves, so that a receipt which never comes is not forgotten; a refusal may carry one.
        """
        header = self.header(action, body=body)
        pins = self.folder.pins()
        self.folder.write_pins(replace(pins, unanswered=pins.unanswered + 1))
        message = join_message(header=header.to_bytes(), signature=self.sign(header), body=body)
        try:
            answer = send(message)
        except ServerRefused as refusal:
            if refusal.receipt is not None:
                self._count(header, refusal.receipt, stated=None)
            raise
        receipt = self._count(header, bytes_field(answer, "receipt"), stated=stated(answer))
        enrolled = action.kind is MessageType.ENROL and receipt.outcome is Outcome.ACCEPTED
        if action.grant.key_cert and (enrolled or action.kind is MessageType.VERIFY):
            self.pin(KeyCert.parse(action.grant.key_cert))
        return answer, receipt

    def _count(self, header: Header, receipt: bytes, *, stated: Outcome | None) -> Receipt:
        pins = self.folder.pins()
        checked = check_receipt(pins=pins, receipt=receipt, header=header, stated=stated)
        self.folder.write_pins(replace(pins, decisions=checked.total_decisions, unanswered=0))
        check_count(pins=pins, receipt=checked)
        return checked
