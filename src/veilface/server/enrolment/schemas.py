"""Challenges and templates on the JSON wire."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from ninja import Schema

from veilface.keyholder.messages import Grant
from veilface.protect.scheme import scheme
from veilface.server.accounts.schemas import ConfirmationFields
from veilface.server.enrolment.models import Template as TemplateRow
from veilface.server.wire import Hash, Identifier, SchemeName, WireBytes


class ChallengeRequest(ConfirmationFields):
    """What the next signed message of this device will be about.

    ``password`` or ``passkey`` – to replace a template. ``scheme`` – the protection to enrol with, `homomorphic`
    where it is not said; for no other message.
    """

    type: Literal["device", "approve", "revoke", "enrol", "verify", "delete"]
    device_id: Identifier
    context_hash: Hash
    scheme: SchemeName | None = None


class LivenessMovement(Schema):
    """A movement of the liveness check, asked for ``pause_ms`` after the face held still."""

    action: Literal["turn_left", "turn_right", "nod", "come_closer"]
    pause_ms: int


class Challenge(Schema):
    """What the message's header must name; times in milliseconds since 1970.

    ``liveness`` – the movements to make in this order, none where the server asks for none.
    """

    challenge: Hash
    expires_ms: int
    server_time_ms: int
    key_cert: WireBytes | None
    key_fp: Hash | None
    epoch: int | None
    template_hash: Hash | None
    liveness: list[LivenessMovement]

    @classmethod
    def of(cls, grant: Grant, *, server_time_ms: int, movements: Iterable[object] = ()) -> "Challenge":
        """What the key holder granted."""
        return cls(
            challenge=grant.challenge,
            expires_ms=grant.expires_ms,
            server_time_ms=server_time_ms,
            key_cert=grant.key_cert,
            key_fp=grant.key_fp,
            epoch=grant.epoch,
            template_hash=grant.template_hash,
            liveness=[LivenessMovement.model_validate(one, from_attributes=True) for one in movements],
        )


class Template(Schema):
    """A protected template as the server has it, and what is public about its making."""

    id: Identifier
    scheme: SchemeName
    state: Literal["active", "deleting"]
    created_at: datetime
    bytes: int
    key_fp: str
    epoch: int
    template_hash: str
    receipt: WireBytes
    parameters: dict[str, int | float | str]

    @classmethod
    def of(cls, row: TemplateRow) -> "Template":
        """The row without its data."""
        description = scheme(row.scheme).describe()
        return cls.model_validate(
            {
                "id": row.id,
                "scheme": row.scheme,
                "state": row.state,
                "created_at": row.created_at,
                "bytes": description.template_bytes,
                "key_fp": row.key_fp,
                "epoch": row.epoch,
                "template_hash": row.template_hash,
                "receipt": bytes(row.receipt),
                "parameters": description.parameters,
            }
        )


class Enrolment(Schema):
    """A template that is now the account's, and the key holder's receipt (192 B)."""

    template: Template
    receipt: WireBytes


class Deletion(Schema):
    """The key holder's receipt (192 B): no copy of the template can be verified against any more."""

    receipt: WireBytes
