"""Every protection under the same rules: who is accepted, what is refused, what a renewal ends."""

import itertools
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.keyholder.people import CONTEXT, STRANGER, Clock, Person, dump
from veilface.keyholder import errors, store
from veilface.keyholder.core import KeyHolder
from veilface.keyholder.store import Store
from veilface.protect import envelope
from veilface.protect.calibration import model_fp
from veilface.protect.envelope import KeyCert, MessageType, Outcome, Receipt
from veilface.protect.scheme import OpenProtection, protection, protections
from veilface.protect.suites import Suite

NAMES = [known.name for known in protections()]
KEYED = [known.name for known in protections() if isinstance(known, OpenProtection)]


@pytest.fixture(params=NAMES)
def anybody(request: pytest.FixtureRequest, person: Person) -> Person:
    """Somebody with a registered device, once for every protection."""
    person.scheme = request.param
    return person


@pytest.fixture(params=KEYED)
def keyed(request: pytest.FixtureRequest, person: Person) -> Person:
    """Somebody enrolled with a keyed protection."""
    person.scheme = request.param
    assert person.enrol().outcome == Outcome.ACCEPTED
    return person


def outcome(person: Person, evidence: bytes) -> Outcome:
    arguments = person.verification().arguments | {"evidence": evidence}
    return Receipt.parse(person.holder.verify(**arguments)).outcome


def refused(data: Path, error: type[errors.KeyHolderError], person: Person, verb: str, **arguments: Any) -> None:
    before = dump(data)
    with pytest.raises(error):
        getattr(person.holder, verb)(**arguments)
    assert dump(data) == before


def test_the_person_is_accepted_and_others_are_not(anybody: Person) -> None:
    assert anybody.enrol().outcome == Outcome.ACCEPTED
    assert anybody.verify().outcome == Outcome.ACCEPTED
    assert anybody.verify(STRANGER).outcome == Outcome.NOT_ACCEPTED


def test_the_key_is_certified_for_its_protection(anybody: Person, holder: KeyHolder) -> None:
    grant = anybody.grant(MessageType.ENROL)
    assert grant.key_fp is not None
    assert grant.key_cert is not None
    cert = KeyCert.parse(grant.key_cert)
    cert.verify(holder.identity().public_key)
    assert cert.suite == grant.suite == anybody.protection.suite
    key = holder.public_key(grant.key_fp)
    assert len(key) == anybody.protection.key_bytes
    assert envelope.sha256(key) == grant.key_fp == cert.key_fp


def test_a_challenge_names_a_protection_to_enrol_and_for_nothing_else(enrolled: Person, data: Path) -> None:
    ask = {"account": enrolled.account, "device": enrolled.device, "context_hash": CONTEXT}
    refused(data, errors.Malformed, enrolled, "issue_challenge", type=MessageType.ENROL, **ask)
    for type_ in (MessageType.VERIFY, MessageType.DELETE, MessageType.DEVICE, MessageType.REVOKE):
        refused(data, errors.Malformed, enrolled, "issue_challenge", type=type_, suite=Suite.RANKING, **ask)


@pytest.mark.parametrize("verb", ["enrol", "verify", "delete"])
def test_a_message_of_another_protection_than_its_key(keyed: Person, data: Path, verb: str) -> None:
    """Even with the evidence, the contract and the signature of the other one."""
    make = {"enrol": keyed.enrolment, "verify": keyed.verification, "delete": keyed.deletion}[verb]
    signed = make()
    (other,) = set(KEYED) - {keyed.scheme}
    bent = replace(signed.header, suite=protection(other).suite, model_fp=model_fp(other))
    refused(data, errors.WrongSuite, keyed, verb, **keyed.sign(bent, **signed.body).arguments)
    homomorphic = keyed.sign(replace(bent, suite=Suite.HOMOMORPHIC, model_fp=model_fp("homomorphic")), **signed.body)
    refused(data, errors.Refused, keyed, verb, **homomorphic.arguments)
    assert Receipt.parse(getattr(keyed.holder, verb)(**signed.arguments)).outcome == Outcome.ACCEPTED


def test_a_message_about_no_template_has_no_protection(person: Person, data: Path) -> None:
    signed = person.revocation(person.device)
    bent = person.sign(replace(signed.header, suite=Suite.RANKING), **signed.body)
    refused(data, errors.Malformed, person, "revoke_device", **bent.arguments)


def test_evidence_of_another_length(anybody: Person, data: Path) -> None:
    signed = anybody.enrolment()
    for evidence in (signed.body["evidence"] + b"\0", bytes(8)):
        refused(data, errors.Malformed, anybody, "enrol", **signed.arguments | {"evidence": evidence})
    anybody.holder.enrol(**signed.arguments)
    anybody.activate(signed)
    asked = anybody.verification()
    for evidence in (b"", asked.body["evidence"][1:], asked.body["evidence"] + b"\0"):
        refused(data, errors.Malformed, anybody, "verify", **asked.arguments | {"evidence": evidence})


def test_only_the_sign_of_a_keyed_score_counts(keyed: Person) -> None:
    for value, expected in (
        (0, Outcome.ACCEPTED),
        (2**63 - 1, Outcome.ACCEPTED),
        (-1, Outcome.NOT_ACCEPTED),
        (-(2**63), Outcome.NOT_ACCEPTED),
    ):
        assert outcome(keyed, value.to_bytes(8, "big", signed=True)) is expected


def test_a_bent_signature_a_stale_epoch_and_a_replay(anybody: Person, data: Path) -> None:
    anybody.enrol()
    signed = anybody.verification()
    bent = signed.signature[:-1] + bytes([signed.signature[-1] ^ 1])
    refused(data, errors.BadSignature, anybody, "verify", **signed.arguments | {"signature": bent})
    anybody.holder.verify(**signed.arguments)
    refused(data, errors.ChallengeReplayed, anybody, "verify", **signed.arguments)
    late = anybody.verification()
    anybody.enrol()
    refused(data, errors.StaleKey, anybody, "verify", **late.arguments)


def test_five_failures_are_a_pause(keyed: Person, clock: Clock) -> None:
    for _ in range(5):
        assert keyed.verify(STRANGER).outcome == Outcome.NOT_ACCEPTED
    assert keyed.verify().outcome == Outcome.RETRY_LATER
    clock.advance(seconds=30)
    assert keyed.verify().outcome == Outcome.ACCEPTED


@pytest.mark.parametrize(("before", "after"), list(itertools.product(NAMES, NAMES)))
def test_a_renewal_ends_the_old_template_at_its_activation(person: Person, data: Path, before: str, after: str) -> None:
    """With the same protection and with every other; until the new one is activated the old one works."""
    person.scheme = before
    person.enrol()
    old_key, template = person.verification().header.key_fp, person.template
    person.scheme = after
    renewal = person.enrolment()
    renewed = person.template
    person.holder.enrol(**renewal.arguments)
    person.scheme, person.template = before, template
    assert person.verify().outcome == Outcome.ACCEPTED
    late = person.verification()
    person.scheme, person.template = after, renewed
    person.activate(renewal)
    assert person.verify().outcome == Outcome.ACCEPTED
    refused(data, errors.StaleKey, person, "verify", **late.arguments)
    refused(data, errors.StaleKey, person, "public_key", key_fp=old_key)


def test_a_token_alone_opens_no_later_epoch(keyed: Person) -> None:
    """The public key of the epoch is part of the transform: an old template does not match under a kept token."""
    old = keyed.template
    keyed.enrol()
    keyed.template = old
    assert keyed.verify().outcome == Outcome.NOT_ACCEPTED


def test_deletion_is_receipted(anybody: Person, data: Path) -> None:
    anybody.enrol()
    signed = anybody.deletion()
    receipt = Receipt.parse(anybody.holder.delete(**signed.arguments))
    receipt.verify(anybody.holder.identity().public_key, header=signed.header.to_bytes())
    assert (receipt.outcome, receipt.template_hash) == (Outcome.ACCEPTED, signed.header.template_hash)
    assert not [line for line in dump(data) if line.startswith('INSERT INTO "epochs"')]


def test_keys_of_before_the_suites_are_homomorphic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(store, "MIGRATIONS", store.MIGRATIONS[:1])
        Store(tmp_path, create=True).close()
    with closing(sqlite3.connect(tmp_path / store.FILE_NAME)) as db:
        db.execute("INSERT INTO accounts (id) VALUES (?)", (bytes(16),))
        row = (bytes(16), bytes(32), b"key", b"wrapped")
        db.execute(
            "INSERT INTO epochs (account, epoch, state, key_fp, public_key, wrapped, created_ms) "
            "VALUES (?, 1, 'current', ?, ?, ?, 0)",
            row,
        )
        db.commit()
    with closing(Store(tmp_path)) as opened, opened.reading() as found:
        assert [line["suite"] for line in found.execute("SELECT suite FROM epochs")] == [Suite.HOMOMORPHIC]


def test_a_keyed_epoch_has_nothing_to_steal(keyed: Person, data: Path) -> None:
    """No secret was made, and what a thief of the key holder finds of the template is its hash."""
    assert keyed.protection.generate_key().secret == b""
    found = "".join(dump(data))
    assert envelope.sha256(keyed.template).hex().upper() in found
    assert keyed.template.hex().upper() not in found
    assert keyed.token.hex().upper() not in found
