"""The wall's only door: what anybody outside may ask of a key holder, and the way there."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, Protocol, Self, TypeVar, cast

import httpx

from veilface.keyholder import gallery_messages, messages, tls
from veilface.keyholder.errors import KeyHolderMisconfigured, KeyHolderUnavailable, Malformed
from veilface.keyholder.gallery_api import GalleryApi
from veilface.keyholder.gallery_client import RemoteGalleries
from veilface.keyholder.messages import AccountStatus, DeviceRecord, Grant, Identity, Layout, Octets, SignedHead
from veilface.protect.envelope import PUBLIC_POINT_BYTES, MessageType, Receipt
from veilface.protect.errors import ProtectError
from veilface.protect.rlwe import PUBLIC_KEY_BYTES
from veilface.protect.suites import Suite

PUBLIC_KEY_FILE: Final = "keyholder.pub"
TIMEOUT_S: Final = 5.0
SLOWEST_BYTES_S: Final = 1e6
"""What a large message may take longer, in bytes a second: the link's share and the work's."""
KEEP_ALIVE_S: Final = 30.0
MOST_CONNECTIONS: Final = 32
REQUESTS: Final[Mapping[str, Layout]] = {**messages.REQUESTS, **gallery_messages.REQUESTS}
"""The request of every verb: POST ``/v1/<verb>`` with exactly these bytes."""
T = TypeVar("T")


class KeyHolderApi(GalleryApi, Protocol):
    """The same questions, whether the key holder is in this process or behind mutual TLS.

    Headers are 256 B, signatures 64 B raw ``r‖s``, account and device ids 16 B, receipts 192 B (protocol §4).
    Every method may raise :class:`~veilface.keyholder.errors.Unavailable`: then nothing was decided. Every
    :class:`~veilface.keyholder.errors.Refused` means that nothing was changed.
    """

    def identity(self) -> Identity:
        """The key that signs certificates and receipts."""
        ...

    def register_device(self, *, header: bytes, signature: bytes, public_key: bytes) -> DeviceRecord:
        """Add the device whose key (65 B) signed ``header`` (type 17), proving possession.

        An account's first device is active at once; a further one after 24 h, or when an active device approves it.
        The same registration repeated answers with the record that exists.
        """
        ...

    def approve_device(self, *, header: bytes, signature: bytes, device_id: bytes) -> DeviceRecord:
        """Make the pending ``device_id`` active, by the word of an active device (type 17)."""
        ...

    def revoke_device(self, *, header: bytes, signature: bytes, device_id: bytes) -> DeviceRecord:
        """Make ``device_id`` unusable at once, by the word of an active device (type 15)."""
        ...

    def issue_challenge(
        self,
        *,
        type: MessageType,  # noqa: A002 – the field's name in protocol §4
        account: bytes,
        device: bytes,
        context_hash: bytes,
        suite: Suite | None = None,
    ) -> Grant:
        """A challenge for one message, good for 90 s; for enrolment also a fresh key, for verification the current one.

        ``suite`` – the protection a fresh key is for: given for enrolment and for nothing else. Raises
        ``NotEnrolled`` for a verification or deletion without a current template.
        """
        ...

    def public_key(self, key_fp: bytes) -> bytes:
        """The public key whose SHA-256 is ``key_fp``; raises ``StaleKey`` when it was erased."""
        ...

    def enrol(self, *, header: bytes, signature: bytes, evidence: bytes) -> bytes:
        """Judge a template's evidence, ``norm‖range`` or none (0 B); the receipt.

        An accepted epoch waits for :meth:`activate`.
        """
        ...

    def activate(self, *, account: bytes, epoch: int, template_hash: bytes) -> None:
        """Make the accepted epoch current and erase the older key. Repeating it changes nothing."""
        ...

    def verify(self, *, header: bytes, signature: bytes, evidence: bytes) -> bytes:
        """Judge a probe's evidence, ``score‖norm‖range`` or a blinded sign (8 B); the receipt."""
        ...

    def delete(self, *, header: bytes, signature: bytes) -> bytes:
        """Erase the account's keys by the word of an active device (type 16); the receipt."""
        ...

    def forget_account(self, *, account: bytes) -> bytes:
        """Erase the account's keys and devices by order of the operator; the receipt. Its id is never used again."""
        ...

    def account_status(self, account: bytes) -> AccountStatus:
        """What is current for the account; raises ``UnknownAccount``."""
        ...

    def audit_head(self) -> SignedHead:
        """The signed head of the audit log, to be kept by others."""
        ...


class RemoteKeyHolder(RemoteGalleries):
    """A key holder behind mutual TLS 1.3, at ``url``. Pooled connections, safe to use from many threads.

    ``credentials`` is the folder that ``service.initialise`` filled: our certificate and key, the certificate to pin,
    and the key holder's signing key, under which every receipt and head is checked before anybody sees it. Whatever
    keeps an answer from arriving whole, in time and from the pinned key holder raises ``KeyHolderUnavailable``.
    """

    def __init__(self, url: str, *, credentials: Path, timeout_s: float = TIMEOUT_S) -> None:
        """Raises ``KeyHolderMisconfigured`` when ``credentials`` lacks a file. Connects at the first question."""
        self._pinned = read_public_key(credentials)
        self._timeout_s = timeout_s
        self._http = httpx.Client(
            base_url=url,
            verify=tls.client_context(credentials),
            timeout=timeout_s,
            limits=httpx.Limits(
                max_connections=MOST_CONNECTIONS,
                max_keepalive_connections=MOST_CONNECTIONS,
                keepalive_expiry=KEEP_ALIVE_S,
            ),
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def identity(self) -> Identity:
        identity = self._ask_for(Identity, "identity")
        if identity.public_key != self._pinned:
            raise KeyHolderUnavailable
        return identity

    def register_device(self, *, header: bytes, signature: bytes, public_key: bytes) -> DeviceRecord:
        return self._ask_for(DeviceRecord, "register_device", header=header, signature=signature, public_key=public_key)

    def approve_device(self, *, header: bytes, signature: bytes, device_id: bytes) -> DeviceRecord:
        return self._ask_for(DeviceRecord, "approve_device", header=header, signature=signature, device_id=device_id)

    def revoke_device(self, *, header: bytes, signature: bytes, device_id: bytes) -> DeviceRecord:
        return self._ask_for(DeviceRecord, "revoke_device", header=header, signature=signature, device_id=device_id)

    def issue_challenge(
        self,
        *,
        type: MessageType,  # noqa: A002 – the field's name in protocol §4
        account: bytes,
        device: bytes,
        context_hash: bytes,
        suite: Suite | None = None,
    ) -> Grant:
        return self._ask_for(
            Grant,
            "issue_challenge",
            type=bytes([type]),
            account=account,
            device=device,
            context_hash=context_hash,
            suite=bytes([suite or 0]),
        )

    def public_key(self, key_fp: bytes) -> bytes:
        public_key = self._ask("public_key", key_fp=key_fp)
        if messages.digest(public_key) != key_fp:
            raise KeyHolderUnavailable
        return public_key

    def enrol(self, *, header: bytes, signature: bytes, evidence: bytes) -> bytes:
        return self.checked(header, self._ask("enrol", header=header, signature=signature, evidence=evidence))

    def activate(self, *, account: bytes, epoch: int, template_hash: bytes) -> None:
        self._ask("activate", account=account, epoch=epoch.to_bytes(4, "big"), template_hash=template_hash)

    def verify(self, *, header: bytes, signature: bytes, evidence: bytes) -> bytes:
        return self.checked(header, self._ask("verify", header=header, signature=signature, evidence=evidence))

    def delete(self, *, header: bytes, signature: bytes) -> bytes:
        return self.checked(header, self._ask("delete", header=header, signature=signature))

    def forget_account(self, *, account: bytes) -> bytes:
        return self.checked(messages.forget_message(account), self._ask("forget_account", account=account))

    def account_status(self, account: bytes) -> AccountStatus:
        return self._ask_for(AccountStatus, "account_status", account=account)

    def audit_head(self) -> SignedHead:
        head = self._ask_for(SignedHead, "audit_head")
        try:
            head.verify(self._pinned)
        except ProtectError as error:
            raise KeyHolderUnavailable from error
        return head

    def checked(self, header: bytes, receipt: bytes) -> bytes:
        """The receipt, if the pinned key holder signed it and it answers ``header``."""
        try:
            Receipt.parse(receipt).verify(self._pinned, header=header)
        except ProtectError as error:
            raise KeyHolderUnavailable from error
        return receipt

    def _ask_for(self, kind: type[T], verb: str, **fields: bytes) -> T:
        answer = self._ask(verb, **fields)
        try:
            return messages.load(kind, answer)
        except Malformed as error:
            raise KeyHolderUnavailable from error

    def _ask(self, verb: str, **fields: Octets) -> bytes:
        return bytes(self.ask(verb, answer_bytes=PUBLIC_KEY_BYTES, **fields))

    def ask(self, verb: str, *, answer_bytes: int, **fields: Octets) -> Octets:
        """One question, one bounded answer, never asked twice: a lost answer may have been a decision."""
        parts = REQUESTS[verb].parts(**fields)
        length = sum(map(len, parts))
        question = self._http.stream(
            "POST",
            f"/v1/{verb}",
            content=_content(parts, length),
            headers={"Content-Length": str(length)},
            timeout=self._timeout_s + (length + answer_bytes) / SLOWEST_BYTES_S,
        )
        try:
            with question as response:
                answer = _bounded(response, max(answer_bytes, messages.ANSWER_LIMIT))
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise KeyHolderUnavailable from error
        if response.status_code != httpx.codes.OK:
            raise messages.load_error(bytes(answer))
        return answer


def read_public_key(folder: Path) -> bytes:
    """The key holder's signing key (65 B) as kept in its own folder and in its client's.

    Raises ``KeyHolderMisconfigured`` when the file is missing or holds anything else.
    """
    path = folder / PUBLIC_KEY_FILE
    try:
        key = bytes.fromhex(path.read_text("ascii"))
    except (OSError, ValueError) as error:
        raise KeyHolderMisconfigured(path=str(path)) from error
    if len(key) != PUBLIC_POINT_BYTES:
        raise KeyHolderMisconfigured(path=str(path))
    return key


def _content(parts: list[Octets], length: int) -> bytes | Iterable[bytes]:
    """A body for httpx: what is large goes out piece by piece, from where it lies."""
    return b"".join(parts) if length <= messages.LARGE_BYTES else cast("Iterable[bytes]", messages.pieces(parts))


def _bounded(response: httpx.Response, most: int) -> memoryview:
    """The body; raises ``KeyHolderUnavailable`` when it is longer than the answer can be."""
    body = bytearray()
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > most:
            raise KeyHolderUnavailable
    return memoryview(body)
