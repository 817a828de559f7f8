"""Raw RLWE of suite 0x01: the wire, the keys, encryption and decryption – and the only door to SEAL.

SEAL makes keys, encrypts zeros and opens what its decryptor can open. Its containers never cross a trust
boundary: bytes from outside are parsed strictly into residues first, and only then laid behind a header that
this process's own SEAL wrote. See ``docs/adr/0003-what-seal-does.md`` and protocol §2.
"""

import hashlib
import math
from functools import cache, cached_property
from typing import Final, NoReturn, Self

import numpy as np
import seal

from veilface.protect.errors import MalformedCiphertext
from veilface.protect.ring import (
    KEY_PRIMES,
    PRIMES,
    Integers,
    N,
    Words,
    centred_crt,
    coefficient_functional,
    conjugation,
    forward,
    inverse,
)

RESIDUE_BYTES: Final = 3
_POLYNOMIAL_BYTES: Final = N * RESIDUE_BYTES
CIPHERTEXT_BYTES: Final = 2 * 3 * _POLYNOMIAL_BYTES
PUBLIC_KEY_BYTES: Final = 2 * 4 * _POLYNOMIAL_BYTES
SCORE_BYTES: Final = 3 * 3 * _POLYNOMIAL_BYTES
NORM_BYTES: Final = 4 * 3 * _POLYNOMIAL_BYTES
RANGE_BYTES: Final = 2 * 2 * _POLYNOMIAL_BYTES
SECRET_KEY_BYTES: Final = N // 4

SCORE_COEFFICIENT: Final = 127
RANGE_PRIMES: Final = PRIMES[:2]

PARAMETERS: Final = (
    "veilface suite 01; ring Z_q[X]/(X^4096+1); primes 16736257,16760833,974849; special 1032193; "
    "secret ternary; error 3.2; scale 2^15; template i=round(scale*t_i); probe 127-i=round(scale*x_i); "
    "score 127 of T(X)*P(X); norm 0 of P(X)*P(1/X); range 128; norm 1.0017+-0.01; residue 3 LE"
)
PARAM_ID: Final = hashlib.sha256(PARAMETERS.encode("ascii")).digest()

_WORD_BYTES: Final = 8
_RAW: Final = seal.compr_mode_type.none


# --- the wire --------------------------------------------------------------------------------------------


def parse_words(data: bytes, *, components: int, primes: tuple[int, ...] = PRIMES) -> Words:
    """Read residues of 3 bytes, little-endian, in the order component, prime, NTT index.

    Returns uint64 (components, primes, 4096). Raises :class:`MalformedCiphertext` for a wrong length, a residue
    that is not below its prime, or a second component that is all zero (then the first would be the plaintext).
    """
    expected = components * len(primes) * _POLYNOMIAL_BYTES
    if len(data) != expected:
        raise MalformedCiphertext(got=f"{len(data)} B", expected=f"{expected} B")
    count = expected // RESIDUE_BYTES
    # Overlapping 4-byte reads at a stride of 3; the spare last byte keeps the final read inside the buffer.
    overlapping = np.ndarray((count,), "<u4", buffer=data + b"\0", strides=(RESIDUE_BYTES,))
    words = (overlapping & 0xFFFFFF).reshape(components, len(primes), N)
    if (words.max(axis=(0, 2)) >= np.array(primes)).any():
        raise MalformedCiphertext(got="residue >= prime", expected="residues below their primes")
    if not words[1].any():
        raise MalformedCiphertext(got="second component 0", expected="second component not 0")
    return words.astype(np.uint64)


def pack_words(words: Words) -> bytes:
    """The wire form of residues below 2^24, any shape, in C order."""
    return np.ascontiguousarray(words.astype("<u4")).view(np.uint8).reshape(-1, 4)[:, :RESIDUE_BYTES].tobytes()


# --- keys ------------------------------------------------------------------------------------------------


class PublicKey:
    """An account's public key, checked word by word, ready to encrypt."""

    def __init__(self, data: bytes) -> None:
        """Take 98,304 wire bytes; raises :class:`MalformedCiphertext`."""
        words = parse_words(data, components=2, primes=KEY_PRIMES)
        self.fingerprint: Final = hashlib.sha256(data).digest()
        context = _context()
        self._encryptor = seal.Encryptor(context, context.from_public_str(_public_key_head() + words.tobytes()))

    def zero(self) -> Words:
        """A fresh encryption of zero, (2, 3, 4096), its noise divided by the special prime (σ ≈ 15)."""
        return _ciphertext_words(self._encryptor.encrypt_zero())

    def rough_zero(self) -> Words:
        """A fresh encryption of zero, (2, 3, 4096), with the undivided noise (σ ≈ 240).

        It costs three quarters of :meth:`zero`; beside products of scale Δ² = 2^30 the noise does not show.
        """
        return _ciphertext_words(self._encryptor.encrypt_zero(_context().key_context_data().parms_id()))


class SecretKey:
    """An account's ternary secret. Never printed, pickled or compared; the key holder alone makes one."""

    __slots__ = ("__dict__", "_words")

    def __init__(self, words: Words) -> None:
        """Take the NTT words (4, 4096) of the secret, one row for each of :data:`KEY_PRIMES`."""
        self._words = words

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """Read 1,024 bytes of four coefficients each, low bits first: 0, 1, or 2 for −1."""
        if len(packed) != SECRET_KEY_BYTES:
            raise MalformedCiphertext(got=f"{len(packed)} B", expected=f"{SECRET_KEY_BYTES} B")
        digits = np.frombuffer(packed, np.uint8)[:, None] >> np.array([0, 2, 4, 6], np.uint8) & 3
        if (digits == 3).any():  # noqa: PLR2004 – the one two-bit digit that is no ternary coefficient
            raise MalformedCiphertext(got="digit 3", expected="ternary digits")
        coefficients = digits.reshape(N).astype(np.int64)
        coefficients[coefficients == 2] = -1  # noqa: PLR2004 – the digit that stands for −1
        return cls(np.stack([forward(coefficients, prime) for prime in KEY_PRIMES]))

    def pack(self) -> bytes:
        """The 1,024 bytes that :meth:`unpack` reads; for wrapping, never for a wire."""
        digits = (inverse(self._words[0], KEY_PRIMES[0]) % 3).astype(np.uint8).reshape(-1, 4)
        return (digits[:, 0] | digits[:, 1] << 2 | digits[:, 2] << 4 | digits[:, 3] << 6).astype(np.uint8).tobytes()

    @cached_property
    def decryptor(self) -> seal.Decryptor:
        """SEAL's decryptor under this key."""
        context = _context()
        return seal.Decryptor(context, context.from_secret_str(_secret_key_head() + self._words.tobytes()))

    @cached_property
    def norm_basis(self) -> Words:
        """The words (4, 3, 4096) of 1, s, σs and s·σs."""
        secret = self._words[: len(PRIMES)]
        conjugate = secret[:, conjugation()]
        moduli = np.array(PRIMES, np.uint64)[:, None]
        return np.stack([np.ones_like(secret), secret, conjugate, secret * conjugate % moduli])

    def __repr__(self) -> str:
        return "SecretKey(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret key is not pickled")


def generate_key() -> tuple[SecretKey, bytes]:
    """A fresh account key by SEAL's generator: the secret and the 98,304 wire bytes of the public key."""
    generator = seal.KeyGenerator(_context())
    secret = _tail_words(generator.secret_key().to_string(), len(KEY_PRIMES), N)
    public = _tail_words(generator.create_public_key().to_string(), 2, len(KEY_PRIMES), N)
    return SecretKey(secret), pack_words(public)


# --- encryption and decryption ---------------------------------------------------------------------------


def encrypt_zero(public_key: PublicKey) -> Words:
    """A fresh public-key encryption of zero: uint64 NTT words (2, 3, 4096)."""
    return public_key.zero()


def encrypt(public_key: PublicKey, coefficients: Integers) -> Words:
    """Encrypt int64 coefficients (4096,): SEAL's zero with the message added to the first component."""
    words = public_key.zero()
    for row, prime in enumerate(PRIMES):
        words[0, row] = (words[0, row] + forward(coefficients, prime)) % np.uint64(prime)
    return words


def decrypt_range(secret_key: SecretKey, data: bytes) -> Integers:
    """The int64 coefficients (4096,), centred modulo q1·q2, of a range ciphertext (49,152 B).

    Rounding noise (σ ≈ 15) is all there is if the sender was honest. A value that is small modulo one prime
    and not the other comes out large.
    """
    plain = _decrypt(secret_key, parse_words(data, components=2, primes=RANGE_PRIMES))
    first, second = (inverse(row, prime) for row, prime in zip(plain, RANGE_PRIMES, strict=True))
    p, q = RANGE_PRIMES
    digit = (second - first) % q * pow(p, -1, q) % q
    centred: Integers = first + p * np.where(2 * digit > q, digit - q, digit)
    return centred


def decrypt_norm(secret_key: SecretKey, data: bytes) -> int:
    """The centred coefficient 0 of a norm ciphertext (147,456 B) in the basis 1, s, σs, s·σs.

    SEAL's decryptor knows no σs: this is the same inner product over SEAL's own secret-key words.
    """
    words = parse_words(data, components=4)
    products = np.einsum("cpi,cpi->p", words, secret_key.norm_basis)  # below 4 · 4096 · 2^48 < 2^63
    return centred_crt([int(sum_) * pow(N, -1, prime) for sum_, prime in zip(products, PRIMES, strict=True)])


def decrypt_blinded(secret_key: SecretKey, data: bytes) -> int:
    """The centred coefficient 127 of a score ciphertext (110,592 B): ρ·(score − θΔ²) plus noise."""
    plain = _decrypt(secret_key, parse_words(data, components=3))
    return centred_crt(
        [int(row @ coefficient_functional(SCORE_COEFFICIENT, prime)) for row, prime in zip(plain, PRIMES, strict=True)]
    )


def _decrypt(secret_key: SecretKey, words: Words) -> Words:
    """The NTT words (primes, 4096) of a ciphertext in the basis 1, s, s², opened by SEAL."""
    components, primes, _ = words.shape
    sealed = seal.Ciphertext()
    sealed.load_bytes(_context(), _ciphertext_head(components, primes) + words.tobytes())
    return _tail_words(secret_key.decryptor.decrypt(sealed).to_bytes(_RAW), primes, N)


# --- SEAL's containers, inside this process only ---------------------------------------------------------


@cache
def _context() -> seal.SEALContext:
    parameters = seal.EncryptionParameters(seal.scheme_type.ckks)
    parameters.set_poly_modulus_degree(N)
    parameters.set_coeff_modulus([seal.Modulus(prime) for prime in KEY_PRIMES])
    return seal.SEALContext(parameters)


def _ciphertext_words(sealed: seal.Ciphertext) -> Words:
    """The words modulo the three data primes; a key-level ciphertext has a fourth, which is left behind."""
    return _tail_words(sealed.to_string(_RAW), 2, sealed.coeff_modulus_size(), N)[:, : len(PRIMES)]


def _tail_words(container: bytes, *shape: int) -> Words:
    """The raw words at the end of one of our own SEAL containers, as a fresh array."""
    count = math.prod(shape)
    return np.frombuffer(container[-count * _WORD_BYTES :], np.uint64).reshape(shape).copy()


@cache
def _sample_key() -> seal.KeyGenerator:
    """A key that exists only so that SEAL writes its constant container headers for us."""
    return seal.KeyGenerator(_context())


@cache
def _public_key_head() -> bytes:
    container: bytes = _sample_key().create_public_key().to_string()
    return container[: -2 * len(KEY_PRIMES) * N * _WORD_BYTES]


@cache
def _secret_key_head() -> bytes:
    container: bytes = _sample_key().secret_key().to_string()
    return container[: -len(KEY_PRIMES) * N * _WORD_BYTES]


@cache
def _ciphertext_head(components: int, primes: int) -> bytes:
    """The header SEAL writes before a CKKS ciphertext of this size at this level, scale 1."""
    context = _context()
    level = context.first_context_data()
    while len(level.parms().coeff_modulus()) > primes:
        level = level.next_context_data()
    encryptor = seal.Encryptor(context, _sample_key().create_public_key())
    sample = encryptor.encrypt_zero(level.parms_id())
    if components > 2:  # noqa: PLR2004 – a fresh ciphertext has two components; squaring makes three
        sample = seal.Evaluator(context).square(sample)
    container: bytes = sample.to_string(_RAW)
    return container[: -components * primes * N * _WORD_BYTES]
