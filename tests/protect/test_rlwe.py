"""The wire, the keys and the decryptions, each against SEAL."""

import pickle

import numpy as np
import pytest
import seal
from hypothesis import given, settings
from hypothesis import strategies as st

from veilface.protect import rlwe
from veilface.protect.errors import MalformedCiphertext
from veilface.protect.ring import DATA, KEY, RANGE, N, Residues

COMPONENT = N * 3


@pytest.fixture(scope="module")
def key() -> tuple[rlwe.SecretKey, bytes]:
    return rlwe.generate_key()


@pytest.fixture(scope="module")
def ciphertext(key: tuple[rlwe.SecretKey, bytes]) -> bytes:
    return rlwe.pack_words(rlwe.PublicKey(key[1]).zero())


def with_residue(data: bytes, index: int, value: int) -> bytes:
    return data[: 3 * index] + value.to_bytes(3, "little") + data[3 * index + 3 :]


# --- the wire ---


def test_sizes_are_those_of_the_protocol(key: tuple[rlwe.SecretKey, bytes], ciphertext: bytes) -> None:
    assert (len(ciphertext), len(key[1])) == (73_728, 98_304) == (rlwe.CIPHERTEXT_BYTES, rlwe.PUBLIC_KEY_BYTES)
    assert (rlwe.SCORE_BYTES, rlwe.NORM_BYTES, rlwe.RANGE_BYTES) == (110_592, 147_456, 49_152)
    assert rlwe.PARAM_ID.hex() == "7c27cb5cf3d864218f6c2e0b01aae9c9bbc5e1b3644da25da31463ecf97f8a57"


def test_wire_order_is_component_prime_index(ciphertext: bytes) -> None:
    words = rlwe.parse_words(ciphertext, components=2)
    for component, prime, index in ((0, 0, 0), (0, 2, 7), (1, 1, N - 1), (1, 2, N - 1)):
        offset = 3 * ((component * 3 + prime) * N + index)
        assert int(words[component, prime, index]) == int.from_bytes(ciphertext[offset : offset + 3], "little")


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_pack_and_parse_are_inverse(seed: int) -> None:
    rng = np.random.default_rng(seed)
    words = np.stack([np.stack([rng.integers(0, p, N) for p in DATA.primes]) for _ in range(2)]).astype(np.float64)
    data = rlwe.pack_words(words)
    assert data == b"".join(int(word).to_bytes(3, "little") for word in words.reshape(-1))
    assert (rlwe.parse_words(data, components=2) == words).all()


@given(st.sampled_from([-73_728, -3, -1, 1, 3, 24_576]))
def test_wrong_length_is_refused(ciphertext: bytes, change: int) -> None:
    wrong = ciphertext[:change] if change < 0 else ciphertext + bytes(change)
    with pytest.raises(MalformedCiphertext) as refused:
        rlwe.parse_words(wrong, components=2)
    assert refused.value.details == {"got": f"{len(wrong)} B", "expected": "73728 B"}


@settings(max_examples=40, deadline=None)
@given(index=st.integers(0, 6 * N - 1), excess=st.sampled_from([0, 1, "most"]))
def test_a_residue_not_below_its_prime_is_refused(ciphertext: bytes, index: int, excess: int | str) -> None:
    prime = DATA.primes[index // N % 3]
    value = 2**24 - 1 if isinstance(excess, str) else prime + excess
    with pytest.raises(MalformedCiphertext):
        rlwe.parse_words(with_residue(ciphertext, index, value), components=2)
    rlwe.parse_words(with_residue(ciphertext, index, prime - 1), components=2)


def test_a_zero_second_component_is_refused(ciphertext: bytes) -> None:
    transparent = ciphertext[: 3 * COMPONENT] + bytes(3 * COMPONENT)
    with pytest.raises(MalformedCiphertext):
        rlwe.parse_words(transparent, components=2)
    rlwe.parse_words(transparent[:-1] + b"\x01", components=2)


def test_a_public_key_is_parsed_as_strictly(key: tuple[rlwe.SecretKey, bytes]) -> None:
    public, component = key[1], 4 * N * 3
    for wrong in (
        public[:-1],
        public + b"\0",
        with_residue(public, 5, KEY.primes[0]),
        with_residue(public, 8 * N - 1, KEY.primes[3]),
        public[:component] + bytes(component),
    ):
        with pytest.raises(MalformedCiphertext):
            rlwe.PublicKey(wrong)


# --- keys ---


def test_a_secret_survives_packing(key: tuple[rlwe.SecretKey, bytes]) -> None:
    packed = key[0].pack()
    assert len(packed) == rlwe.SECRET_KEY_BYTES == 1024
    again = rlwe.SecretKey.unpack(packed)
    assert again.pack() == packed
    assert (again._residues == key[0]._residues).all()
    assert set(np.unique(KEY.inverse(again._residues))) == {-1, 0, 1}


@pytest.mark.parametrize("packed", [bytes(1023), bytes(1025), b"\x03" + bytes(1023), bytes(1023) + b"\xc0"])
def test_a_malformed_secret_is_refused_without_being_shown(packed: bytes) -> None:
    with pytest.raises(MalformedCiphertext) as refused:
        rlwe.SecretKey.unpack(packed)
    assert packed.hex() not in str(refused.value)


def test_a_secret_is_neither_shown_nor_pickled(key: tuple[rlwe.SecretKey, bytes]) -> None:
    assert repr(key[0]) == str(key[0]) == "SecretKey(…)"
    with pytest.raises(TypeError):
        pickle.dumps(key[0])


def test_keys_differ() -> None:
    assert rlwe.generate_key()[1] != rlwe.generate_key()[1]


# --- encryption and decryption ---


def test_zeros_are_fresh_and_small(key: tuple[rlwe.SecretKey, bytes]) -> None:
    secret, public = key[0], rlwe.PublicKey(key[1])
    for make, bound in ((public.zero, 120), (public.rough_zero, 2000)):
        first, second = make(), make()
        assert (first != second).mean() > 0.99
        noise = DATA.inverse(rlwe.open_by_seal(secret, first))
        assert (noise == noise[0]).all(), "the same small integer modulo every prime"
        assert 0 < np.abs(noise).max() < bound


def test_encryption_opens_to_the_message(key: tuple[rlwe.SecretKey, bytes]) -> None:
    message = np.random.default_rng(0).integers(-(2**15), 2**15, N)
    opened = DATA.inverse(rlwe.open_by_seal(key[0], rlwe.encrypt(rlwe.PublicKey(key[1]), message)))
    assert np.abs(opened - message).max() < 120


def random_words(seed: int, components: int) -> Residues:
    rng = np.random.default_rng(seed)
    return np.stack([[rng.integers(0, p, N) for p in DATA.primes] for _ in range(components)]).astype(np.float64)


def test_range_equals_the_inner_product_over_the_secret(key: tuple[rlwe.SecretKey, bytes]) -> None:
    words = random_words(1, 2)[:, :2]
    plain = RANGE.residues(words[0] + words[1] * key[0]._residues[:2])
    assert (rlwe.open_range(key[0], words) == RANGE.inverse(plain)).all()


def test_blinded_equals_seals_decryptor(key: tuple[rlwe.SecretKey, bytes]) -> None:
    for seed in range(5):
        words = random_words(seed, 3)
        opened = DATA.inverse(rlwe.open_by_seal(key[0], words))
        assert rlwe.open_blinded(key[0], words) == DATA.crt([int(c) for c in opened[:, 127]])


def test_norm_equals_seals_decryptor_where_it_fits(key: tuple[rlwe.SecretKey, bytes]) -> None:
    """With the last two components zero the basis 1, s, σs, s·σs is SEAL's 1, s."""
    words = random_words(3, 2)
    opened = DATA.inverse(rlwe.open_by_seal(key[0], words))
    norm = rlwe.open_norm(key[0], np.concatenate([words, np.zeros_like(words)]))
    assert norm == DATA.crt([int(c) for c in opened[:, 0]])


def test_norm_equals_the_inner_product_over_the_secret(key: tuple[rlwe.SecretKey, bytes]) -> None:
    words, residues = random_words(4, 4), []
    for row, prime in enumerate(DATA.primes):
        secret = key[0]._residues[row].astype(int).astype(object)
        conjugate = secret[::-1]
        parts = words[:, row].astype(int).astype(object)
        plain = parts[0] + parts[1] * secret + parts[2] * conjugate + parts[3] * secret * conjugate
        residues.append(int(plain.sum()) * pow(N, -1, prime) % prime)
    assert rlwe.open_norm(key[0], words) == DATA.crt(residues)


def test_seal_rates_the_parameters_at_128_bits() -> None:
    qualifiers = rlwe._context().first_context_data().qualifiers()
    assert qualifiers.sec_level == seal.sec_level_type.tc128
