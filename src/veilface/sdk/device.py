"""A device of an account, in a few verbs: register or log in once, then enrol, verify, renew, delete.

Pictures and embeddings stay in this process. What leaves it is protected – encrypted under a key that only the key
holder can open, or transformed with a secret that only this folder holds – and signed with this folder's key.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, Self

from veilface.face.pipeline import FacePipeline, average
from veilface.protect.envelope import (
    MessageType,
    Outcome,
    Receipt,
    device_context,
    public_point,
    revocation_context,
)
from veilface.protect.homomorphic import Embedding
from veilface.protect.scheme import Protection, protection, protection_of, protections
from veilface.protect.suites import Suite
from veilface.sdk.answers import DeviceRecord, Json, TemplateRecord, field, object_field
from veilface.sdk.client import Client
from veilface.sdk.errors import MalformedAnswer, NothingEnrolled, ProtectionUnknown, SdkError, WrongDevice
from veilface.sdk.folder import DeviceFolder
from veilface.sdk.joining import join_account, open_account
from veilface.sdk.material import current_material, fresh_material
from veilface.sdk.session import Session
from veilface.sdk.trust import fingerprint as key_fingerprint

Picture = Path | bytes
DEVICE_NAME: Final = "veilface"
SCHEMES: Final = tuple(found.name for found in protections())
"""The protections to choose from, the default first."""
DEFAULT_SCHEME: Final = SCHEMES[0]
OUTCOMES: Final = {outcome.name.lower(): outcome for outcome in Outcome}


@dataclass(frozen=True, kw_only=True)
class Enrolment:
    """A template the server now holds, and the key holder's receipt for it.

    ``keyed`` – whether this device keeps a secret for it, without which nobody can verify.
    """

    template: TemplateRecord
    receipt: Receipt
    keyed: bool


@dataclass(frozen=True, kw_only=True)
class Verification:
    """Yes, no, or not now, by which protection. ``timings_ms``: face, protect and server (the round trip)."""

    scheme: str
    outcome: Outcome
    retry_after_s: int
    receipt: Receipt
    timings_ms: dict[str, float]

    @property
    def accepted(self) -> bool:
        """Whether the key holder found the probe and the template to be of one person."""
        return self.outcome is Outcome.ACCEPTED


class Device:
    """The device in ``folder``. ``faces`` may be shared between devices; it is made when first needed.

    Every verb may raise any :class:`~veilface.sdk.errors.SdkError`; an :class:`~veilface.sdk.errors.Alarm` among
    them means that somebody may be lying and must be shown to the person.
    """

    def __init__(self, folder: Path, *, faces: FacePipeline | None = None) -> None:
        self._folder = DeviceFolder(folder)
        self._given_faces = faces
        self.account = self._folder.account()

    @classmethod
    def register(
        cls,
        folder: Path,
        *,
        server: str,
        username: str,
        password: str,
        accept_terms: bool,
        display_name: str = "",
        device_name: str = DEVICE_NAME,
        keyholder_fingerprint: str | None = None,
        faces: FacePipeline | None = None,
    ) -> Self:
        """Opens an account and makes ``folder`` its first device.

        ``accept_terms`` is the person's consent to the site's terms; without it no account is opened.
        ``keyholder_fingerprint`` – SHA-256 of the key holder's key, where it is known from elsewhere; else the key
        seen now is pinned.
        """
        open_account(
            DeviceFolder(folder),
            server=server,
            username=username,
            password=password,
            display_name=display_name or username,
            accept_terms=accept_terms,
            device_name=device_name,
            keyholder_fingerprint=keyholder_fingerprint,
        )
        return cls(folder, faces=faces)

    @classmethod
    def login(
        cls,
        folder: Path,
        *,
        server: str,
        username: str,
        password: str,
        device_name: str = DEVICE_NAME,
        keyholder_fingerprint: str | None = None,
        faces: FacePipeline | None = None,
    ) -> Self:
        """Makes ``folder`` a further device of an account that exists, or renews the token of one that it is.

        A further device waits until another one approves it or 24 h have passed: :meth:`record` tells.
        """
        join_account(
            DeviceFolder(folder),
            server=server,
            username=username,
            password=password,
            device_name=device_name,
            keyholder_fingerprint=keyholder_fingerprint,
        )
        return cls(folder, faces=faces)

    def enrol(self, *pictures: Picture, scheme: str = DEFAULT_SCHEME) -> Enrolment:
        """Enrols the face that is on every one of ``pictures``; several are averaged.

        ``scheme`` – one of :data:`SCHEMES`. A face that is enrolled already is replaced by :meth:`renew` alone. Raises
        what :meth:`FacePipeline.single` raises for a picture that will not do, and ``UnknownScheme``.
        """
        chosen, embedding = protection(scheme), self._enrolled_embedding(pictures)
        with self._session() as session:
            return _enrol(session, embedding, chosen, password=None)

    def renew(self, *pictures: Picture, password: str, scheme: str | None = None) -> Enrolment:
        """Makes the template anew, under a new key and a new token; what was stolen before is refused from then on.

        ``password`` is the account's; ``scheme`` – the protection to change to, by default the present one. The old
        template works until the new one is in force, whatever happens in between. Raises as :meth:`enrol` does, and
        :class:`ProtectionUnknown` without ``scheme`` on a device that never enrolled or verified.
        """
        chosen, embedding = scheme and protection(scheme), self._enrolled_embedding(pictures)
        with self._session() as session:
            return _enrol(session, embedding, chosen or _present_protection(session), password=password)

    def verify(self, picture: Picture, *, scheme: str | None = None) -> Verification:
        """Whether the face on ``picture`` is the enrolled one.

        The protection is that of the template. Where ``scheme`` insists on another one, :class:`OtherProtection` is
        raised; where it needs a token that this device does not have, :class:`TokenElsewhere`. The challenge comes
        first: while the face is measured here, the server prepares.
        """
        expected = None if scheme is None else protection(scheme)
        with self._session() as session:
            action = session.begin(MessageType.VERIFY)
            material = current_material(session, action, expected=expected)
            started = time.perf_counter()
            embedding = self._faces.embedding(read_picture(picture))
            measured = time.perf_counter()
            body = material.probe(embedding)
            protected = time.perf_counter()
            answer, receipt = session.decide(action, body, session.client.verify, stated=_outcome)
            answered = time.perf_counter()
        return Verification(
            scheme=material.protection.name,
            outcome=receipt.outcome,
            retry_after_s=field(answer, "retry_after_s", int),
            receipt=receipt,
            timings_ms={
                "face": (measured - started) * 1000,
                "protect": (protected - measured) * 1000,
                "server": (answered - protected) * 1000,
            },
        )

    def delete(self) -> Receipt:
        """Has the key holder erase the template's key, the server the template and this device its tokens.

        The receipt is the key holder's. Where the server has no template, the tokens go all the same, and
        :class:`NothingEnrolled` is raised.
        """
        with self._session() as session:
            templates = session.client.templates()
            if not templates:
                session.folder.tokens.clear()
                raise NothingEnrolled
            action = session.begin(MessageType.DELETE)
            template_id = templates[0].id
            _, receipt = session.decide(action, b"", lambda sent: session.client.delete_template(template_id, sent))
            session.folder.tokens.clear()
        return receipt

    def record(self) -> DeviceRecord:
        """What the server lists of this device."""
        return next(device for device in self.devices() if device.id == self.account.device_id)

    def devices(self) -> list[DeviceRecord]:
        """All devices of the account."""
        with self._session() as session:
            return session.client.devices()

    def approve(self, device_id: str, *, fingerprint: str) -> DeviceRecord:
        """Lets a pending device act at once.

        ``fingerprint`` is what that device shows of its own key (:attr:`fingerprint`): the server only relays keys,
        and this signature says whose key it is. Raises :class:`WrongDevice`.
        """
        with self._session() as session:
            found = next((one for one in session.client.devices() if one.id == device_id), None)
            if found is None or key_fingerprint(found.public_key) != fingerprint:
                raise WrongDevice(device=device_id)
            context = device_context(found.public_key, bytes.fromhex(device_id))
            action = session.begin_for_device(MessageType.DEVICE, name="approve", context=context)
            header = session.header(action)
            return session.client.approve_device(
                device_id=device_id, header=header.to_bytes(), signature=session.sign(header)
            )

    @property
    def fingerprint(self) -> str:
        """SHA-256 of this device's public key, in hex: what another device compares before it approves this one."""
        return key_fingerprint(public_point(self._folder.key().public_key()))

    def revoke(self, device_id: str) -> DeviceRecord:
        """Makes a device of this account useless at once; it may be this one."""
        with self._session() as session:
            context = revocation_context(bytes.fromhex(device_id))
            action = session.begin_for_device(MessageType.REVOKE, name="revoke", context=context)
            header = session.header(action)
            return session.client.revoke_device(
                device_id=device_id, header=header.to_bytes(), signature=session.sign(header)
            )

    def logout(self) -> SdkError | None:
        """Forgets the device's key and tokens, whatever the server says: the folder can then join an account again.

        It also ends the login on the server. What prevented that, if anything did, is given back.
        """
        with self._folder.locked():
            try:
                with Client(self.account.server, token=self.account.token) as client:
                    client.drop_token()
            except SdkError as error:
                return error
            finally:
                self._folder.clear()
        return None

    def _enrolled_embedding(self, pictures: Sequence[Picture]) -> Embedding:
        return average([self._faces.embedding(read_picture(picture), require_quality=True) for picture in pictures])

    @cached_property
    def _faces(self) -> FacePipeline:
        return self._given_faces or FacePipeline()

    @contextmanager
    def _session(self) -> Iterator[Session]:
        with self._folder.locked(), Client(self.account.server, token=self.account.token) as client:
            session = Session(self._folder, client)
            session.check_site()
            yield session


def _enrol(session: Session, embedding: Embedding, chosen: Protection, *, password: str | None) -> Enrolment:
    action = session.begin(MessageType.ENROL, scheme=chosen.name, password=password)
    body = fresh_material(session, action, chosen).template(embedding)
    answer, receipt = session.decide(action, body, session.client.enrol)
    template = TemplateRecord.parse(object_field(answer, "template"))
    return Enrolment(template=template, receipt=receipt, keyed=chosen.token_bytes > 0)


def _present_protection(session: Session) -> Protection:
    """By this device's own memory: a breached server could talk it into another protection.

    Not even a certificate tells: there is one for every key that a session asked for and never used.
    """
    suite = session.folder.pins().suite
    if not suite:
        raise ProtectionUnknown
    return protection_of(Suite(suite))


def read_picture(picture: Picture) -> bytes:
    """The bytes of a picture's file, or the picture itself."""
    return picture.read_bytes() if isinstance(picture, Path) else picture


def _outcome(answer: Json) -> Outcome:
    name = field(answer, "outcome", str)
    if name not in OUTCOMES:
        raise MalformedAnswer(what="outcome")
    return OUTCOMES[name]
