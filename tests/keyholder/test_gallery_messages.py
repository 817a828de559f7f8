"""What is said of galleries is read back as it was, or not at all."""

import asyncio
from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veilface.keyholder import desk
from veilface.keyholder import gallery_messages as wire
from veilface.keyholder.errors import KeyHolderBusy, KeyHolderUnavailable, Malformed
from veilface.keyholder.gallery_client import RemoteGalleries, RemoteGalleryHolder
from veilface.keyholder.gallery_errors import QueryUnknown
from veilface.keyholder.messages import Octets, pieces
from veilface.protect.gallery import RESULT, SCAN, SLOTS, Conversion, Masked, PackedBlock, Reshared, Sealed, Verdict
from veilface.protect.ring import DATA
from veilface.protect.stream import Stream

SEED = bytes(range(32))


def joined(parts: list[Octets]) -> bytes:
    return b"".join(parts)


def masked() -> Masked:
    stream = Stream(SEED)
    drawn = [
        np.stack([stream.uniform(prime, length) for prime in DATA.primes]).astype(np.uint32) for length in (4096, 128)
    ]
    return Masked(key_fp=SEED, second=drawn[0], first=drawn[1])


def sealed() -> Sealed:
    return Sealed(first=Stream(SEED).uniform(SCAN.prime, (128, SLOTS)).astype(np.uint32), seed=SEED)


def test_templates_arrive_in_their_slots() -> None:
    sent = {2047: masked(), 0: replace(masked(), key_fp=bytes(32))}
    received = wire.load_templates(wire.dump_templates(sent))
    assert list(received) == [2047, 0]
    for slot, one in sent.items():
        assert received[slot].key_fp == one.key_fp
        assert (received[slot].second == one.second).all()
        assert (received[slot].first == one.first).all()
    twice = wire.dump_templates({7: masked()}) * 2
    for wrong in (twice, b"\x08\x00" + wire.dump_masked(masked()), twice[:-1], b""):
        with pytest.raises(Malformed):
            wire.load_templates(wrong)


def test_answers_are_read_back() -> None:
    block = wire.load_packed(joined(wire.dump(PackedBlock(sealed=sealed(), refused=(0, 9, 2047)))))
    assert block.refused == (0, 9, 2047)
    assert (block.sealed.words() == sealed().words()).all()
    conversion = wire.load_conversion(joined(wire.dump(Conversion(query=SEED[:16], sealed=sealed()))))
    assert conversion.query == SEED[:16]
    first = np.stack([Stream(SEED).uniform(ring.prime, (1, 2, 4096)) for ring in RESULT], 2).astype(np.uint32)
    reshared = wire.load_reshared(joined(wire.dump(Reshared(first=first, seed=SEED))), places=2)
    assert (reshared.first == first).all()
    assert (reshared.second() == Reshared(first=first, seed=SEED).second()).all()


def test_words_that_are_no_residues_are_no_answer() -> None:
    wrong = replace(sealed(), first=np.full((128, SLOTS), SCAN.prime, np.uint32))
    with pytest.raises(Malformed):
        wire.load_packed(joined(wire.dump(PackedBlock(sealed=wrong, refused=()))))
    shares = Reshared(first=np.full((1, 2, 3, 4096), RESULT[0].prime, np.uint32), seed=SEED)
    with pytest.raises(Malformed):
        wire.load_reshared(joined(wire.dump(shares)), places=2)
    with pytest.raises(Malformed):
        wire.load_reshared(joined(wire.dump(shares)), places=4)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2047)), max_size=4))
def test_a_verdict_is_read_back(positions: list[tuple[int, int]]) -> None:
    for outcome in ("hits",) if positions else ("none", "ambiguous"):
        verdict = Verdict(outcome=outcome, positions=tuple(positions))  # type: ignore[arg-type]
        assert wire.load_verdict(joined(wire.dump(verdict)), places=10) == verdict


@pytest.mark.parametrize(
    "head",
    [b"\3\0", b"\0\1", b"\1\0", b"\2\1", b"\1\5", b"\1\1\0\x0a\0\0", b"\1\1\0\0\x08\0", b"\1\1\0\0\0\0\1", b"\0\0\1"],
)
def test_a_verdict_that_is_none(head: bytes) -> None:
    with pytest.raises(Malformed):
        wire.load_verdict(head.ljust(wire.VERDICT_BYTES, b"\0"), places=10)


class Liar(RemoteGalleries):
    """A line at whose other end somebody answers anything."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer

    def ask(self, verb: str, *, answer_bytes: int, **fields: Octets) -> Octets:  # noqa: ARG002
        return self.answer

    def checked(self, header: bytes, receipt: bytes) -> bytes:  # noqa: ARG002
        return receipt


@pytest.mark.parametrize("answer", [b"", b"\2", b"\1" * 192])
def test_an_answer_that_is_none_is_believed_by_nobody(answer: bytes) -> None:
    liar, shares = Liar(answer), np.zeros((2, 3, SLOTS), np.uint32)
    for ask in (
        lambda: liar.gallery_create(gallery=bytes(16), epoch=1),
        lambda: liar.gallery_pack_begin(gallery=bytes(16), epoch=1),
        lambda: liar.gallery_pack_end(pack=bytes(16)),
        lambda: liar.identify_reshare(query=bytes(16), shares=shares),
        lambda: liar.identify_conclude(query=bytes(16), blinded=shares),
        lambda: liar.identify_transfer(query=bytes(16), template=masked()),
        lambda: liar.identify_confirm(query=bytes(16), evidence=b""),
    ):
        with pytest.raises(KeyHolderUnavailable):
            ask()


def test_nothing_is_compared_before_a_search() -> None:
    search = RemoteGalleryHolder(Liar(b"\1"), epoch=1, header=b"", signature=b"")
    with pytest.raises(QueryUnknown):
        search.confirm(b"")
    with pytest.raises(QueryUnknown):
        search.transfer(masked())


def test_large_messages_go_in_pieces_that_are_the_same_octets() -> None:
    parts: list[Octets] = [b"", bytes(range(256)) * 2000, memoryview(b"end")]
    cut = list(pieces(parts))
    assert joined(cut) == joined(parts)
    assert max(map(len, cut)) <= 1 << 18


def test_few_large_requests_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "READ_TIMEOUT_S", 0.01)
    made = desk.Desk(None)  # type: ignore[arg-type]

    async def crowd() -> None:
        large = desk.LARGE_BYTES + 1
        with ExitStack() as held:
            for length in (large, large, desk.LARGE_BYTES):
                await made.enter(held, length)
            with pytest.raises(KeyHolderBusy):
                await made.enter(held, large)
        with ExitStack() as held:
            await made.enter(held, large)

    asyncio.run(crowd())
