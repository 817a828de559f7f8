"""Gallery keys are wrapped, bound to their epoch and erased; what is converted is converted exactly."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.keyholder.kiosks import joining
from tests.keyholder.people import FACE, Person, dump
from veilface.keyholder.core import KeyHolder
from veilface.keyholder.errors import KeyHolderStorageFailed, StaleKey
from veilface.keyholder.galleries import gallery_secrets
from veilface.keyholder.gallery_errors import GalleryUnknown
from veilface.keyholder.gallery_keys import GalleryKeys
from veilface.keyholder.keys import KeyEncryptionKey
from veilface.keyholder.repack import SecretOf, SubjectSecret, opened, packed
from veilface.keyholder.store import Store
from veilface.match.conversion import SubjectKey, converted_probe, masked, packed_templates
from veilface.protect.errors import MalformedCiphertext
from veilface.protect.gallery import SCAN, SLOTS, Masked
from veilface.protect.homomorphic import DIMENSION, encode_probe, encode_template
from veilface.protect.ring import DATA
from veilface.protect.rlwe import PublicKey, encrypt, generate_key, pack_words
from veilface.protect.stream import Integers, Stream

ONE, OTHER = bytes(16), bytes(range(16))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path, create=True)
    yield made
    made.close()


def test_a_key_is_made_once_and_opened_again(store: Store) -> None:
    keys = GalleryKeys(store, KeyEncryptionKey(bytes(32)))
    first, again = keys.create(ONE, 1), keys.create(ONE, 1)
    assert first.probe_public == again.probe_public == keys.open(ONE, 1).probe_public
    assert "secret" not in repr(first)
    for gallery, epoch in ((ONE, 2), (OTHER, 1)):
        with pytest.raises(GalleryUnknown):
            keys.open(gallery, epoch)


def test_erasing_leaves_this_epoch_and_other_galleries(store: Store, tmp_path: Path) -> None:
    keys = GalleryKeys(store, KeyEncryptionKey(bytes(32)))
    for gallery, epoch in ((ONE, 1), (ONE, 9), (ONE, 10), (OTHER, 1)):
        keys.create(gallery, epoch)
    keys.erase_before(ONE, 10)
    kept = [line.split("VALUES")[1][2:53] for line in dump(tmp_path) if line.startswith('INSERT INTO "secrets"')]
    assert sorted(kept) == sorted(f"gallery {gallery.hex()} {epoch:010d}" for gallery, epoch in ((ONE, 10), (OTHER, 1)))


def test_the_database_alone_opens_nothing(store: Store) -> None:
    GalleryKeys(store, KeyEncryptionKey(bytes(32))).create(ONE, 1)
    with pytest.raises(KeyHolderStorageFailed):
        GalleryKeys(store, KeyEncryptionKey(b"\1" * 32)).open(ONE, 1)


def test_a_key_moved_to_another_epoch_is_refused(store: Store) -> None:
    keys = GalleryKeys(store, KeyEncryptionKey(bytes(32)))
    keys.create(ONE, 1)
    with store.transaction() as db:
        db.execute("UPDATE secrets SET name = replace(name, '0000000001', '0000000002')")
    with pytest.raises(KeyHolderStorageFailed):
        keys.open(ONE, 2)


def secrets_of(holder: KeyHolder, gallery: bytes) -> SecretOf:
    return gallery_secrets(holder._office.store, holder._office.kek, gallery)


def test_a_gallery_opens_current_keys_of_those_who_joined_and_no_others(enrolled: Person, holder: KeyHolder) -> None:
    for gallery in (ONE, OTHER):
        holder.gallery_create(gallery=gallery, epoch=1)
    secret_of, elsewhere = secrets_of(holder, ONE), secrets_of(holder, OTHER)
    current = holder.account_status(enrolled.account).key_fp
    assert current is not None
    assert secret_of(current) is None, "nobody joined"
    holder.gallery_opt_in(**joining(enrolled, ONE).arguments)
    hidden, masks = masked(enrolled.template, SubjectKey(holder.public_key(current)), Stream())
    secret = secret_of(hidden.key_fp)
    assert secret is not None
    integers = opened(hidden, SubjectSecret(secret))
    assert integers is not None
    assert np.abs(integers - masks - encode_template(FACE)[:DIMENSION]).max() < 200
    assert elsewhere(current) is None, "joined this one only"
    pending = enrolled.enrolment()
    assert secret_of(pending.header.key_fp) is None, "not accepted yet"
    holder.delete(**enrolled.deletion().arguments)
    assert secret_of(current) is None, "erased"


def test_the_ingest_key_opens_for_its_own_gallery_and_stays_through_rotations(holder: KeyHolder) -> None:
    first = holder.gallery_create(gallery=ONE, epoch=1).probes
    other = holder.gallery_create(gallery=OTHER, epoch=1).probes
    assert holder.gallery_create(gallery=ONE, epoch=2).probes == first != other
    key_fp = sha256(first).digest()
    assert holder.public_key(key_fp) == first
    assert secrets_of(holder, ONE)(key_fp) is not None
    assert secrets_of(holder, OTHER)(key_fp) is None
    holder.gallery_forget(gallery=ONE)
    assert secrets_of(holder, ONE)(key_fp) is None
    with pytest.raises(StaleKey):
        holder.public_key(key_fp)


# --- conversion ------------------------------------------------------------------------------------------


def embedding(seed: int) -> NDArray[np.float64]:
    vector = np.random.default_rng(seed).standard_normal(DIMENSION)
    unit: NDArray[np.float64] = vector / np.linalg.norm(vector)
    return unit


def centred(values: Integers) -> Integers:
    return (values + SCAN.prime // 2) % SCAN.prime - SCAN.prime // 2


def test_a_template_arrives_in_its_slot_and_a_probe_in_all(store: Store) -> None:
    key = GalleryKeys(store, KeyEncryptionKey(bytes(32))).create(ONE, 1)
    secret, public = generate_key()
    account, stream = SubjectKey(public), Stream()
    template = pack_words(encrypt(PublicKey(public), encode_template(embedding(1))))
    hidden, masks = masked(template, account, stream)
    assert hidden.key_fp == sha256(public).digest()
    columns = np.zeros((DIMENSION, SLOTS), np.int64)
    columns[:, 7] = masks
    block = packed(key, [*[None] * 7, hidden], {hidden.key_fp: secret.pack()}.get)
    words = packed_templates(block.sealed, columns)
    sized = np.zeros((DIMENSION, 3, SLOTS), np.uint32)
    sized[:, :2] = words.swapaxes(0, 1)
    coordinates = centred(key.secret.open_scan(sized))
    assert np.abs(coordinates[:, 7] * 13 / 2**15 - embedding(1)).max() < 0.01
    assert np.abs(np.delete(coordinates, 7, axis=1)).max() <= 21, "errors and nothing else"

    probe = pack_words(encrypt(PublicKey(key.probe_public), encode_probe(embedding(2))))
    hidden, masks = masked(probe, SubjectKey(key.probe_public), stream)
    integers = opened(hidden, SubjectSecret(key.probe_secret.pack()))
    assert integers is not None
    constants = np.zeros((DIMENSION, SLOTS), np.int64)
    constants[:, 0] = SCAN.reduce(integers[::-1] * 3)
    sized[:, :2] = converted_probe(key.secret.seal(constants), masks).swapaxes(0, 1)
    coordinates = centred(key.secret.open_scan(sized))
    assert np.abs(coordinates[:, 0] / (3 * 2**15) - embedding(2)).max() < 0.004
    assert np.abs(coordinates[:, 1:]).max() <= 21


def test_the_key_holder_sees_masks_and_a_fresh_second_component(store: Store) -> None:
    secret, public = generate_key()
    key, stream = SubjectKey(public), Stream()
    template = pack_words(encrypt(PublicKey(public), encode_template(embedding(1))))
    views = [masked(template, key, stream) for _ in range(64)]
    integers = np.stack(
        [found for hidden, _ in views if (found := opened(hidden, SubjectSecret(secret.pack()))) is not None]
    )
    assert len(integers) == 64
    assert (integers >= -(2**15)).all()
    assert (integers < 2**59 + 2**15).all()
    noise = integers - np.stack([masks for _, masks in views]) - encode_template(embedding(1))[:DIMENSION]
    assert 12 < noise.std() < 30
    bits = np.bincount((integers >> 51).reshape(-1), minlength=256)[:256]
    expected = integers.size / 256
    assert abs(((bits - expected) ** 2 / expected).sum() - 255) < 6 * np.sqrt(510)
    assert (views[0][0].second == views[1][0].second).mean() < 0.01, "re-randomised"


def test_what_no_mask_can_have_made_is_left_out(store: Store) -> None:
    key = GalleryKeys(store, KeyEncryptionKey(bytes(32))).create(ONE, 1)
    secret, public = generate_key()
    template = pack_words(encrypt(PublicKey(public), encode_template(embedding(1))))
    good, _ = masked(template, SubjectKey(public), Stream())
    first = good.first.copy()
    first[2, 5] = (first[2, 5] + DATA.primes[2] // 2) % DATA.primes[2]
    huge = Masked(key_fp=good.key_fp, first=first, second=good.second)
    stranger = Masked(key_fp=bytes(32), first=good.first, second=good.second)
    block = packed(key, [good, huge, None, stranger], {good.key_fp: secret.pack()}.get)
    assert block.refused == (1, 3)
    broken = Masked(key_fp=good.key_fp, first=good.first, second=good.second[:2])
    with pytest.raises(MalformedCiphertext):
        packed(key, [broken], {good.key_fp: secret.pack()}.get)
