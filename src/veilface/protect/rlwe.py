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
from numpy.typing import NDArray

from veilface.protect.errors import MalformedCiphertext
from veilface.protect.ring import DATA, KEY, PRIMES, RANGE, Basis, Integers, N, Residues, Words, conjugated, functional

__all__ = ["PRIMES", "N"]

RESIDUE_BYTES: Final = 3
_POLYNOMIAL_BYTES: Final = N * RESIDUE_BYTES
CIPHERTEXT_BYTES: Final = 2 * 3 * _POLYNOMIAL_BYTES
PUBLIC_KEY_BYTES: Final = 2 * 4 * _POLYNOMIAL_BYTES
SCORE_BYTES: Final = 3 * 3 * _POLYNOMIAL_BYTES
NORM_BYTES: Final = 4 * 3 * _POLYNOMIAL_BYTES
RANGE_BYTES: Final = 2 * 2 * _POLYNOMIAL_BYTES
SECRET_KEY_BYTES: Final = N // 4

SCORE_COEFFICIENT: Final = 127

PARAMETERS: Final = (
    "veilface suite 01; ring Z_q[X]/(X^4096+1); primes 16736257,16760833,974849; special 1032193; "
    "secret ternary; error 3.2; scale 2^15; template i=round(scale*t_i); probe 127-i=round(scale*x_i); "
    "score 127 of T(X)*P(X); norm 0 of P(X)*P(1/X); range 128; norm 1.0017+-0.01; residue 3 LE"
)
PARAM_ID: Final = hashlib.sha256(PARAMETERS.encode("ascii")).digest()

Bytes = NDArray[np.uint8]
Parsed = NDArray[np.uint32]
"""Residues as they are read: half the memory of SEAL's words, which matters where thousands are read a moment."""
_WORD_BYTES: Final = 8
_RAW: Final = seal.compr_mode_type.none


# --- the wire --------------------------------------------------------------------------------------------


def parse_words(data: bytes, *, components: int, basis: Basis = DATA) -> Residues:
    """What :func:`parse_residues` reads, as float64 integers, to compute on."""
    return parse_residues(data, components=components, basis=basis).astype(np.float64)


def parse_integers(data: bytes, *, components: int, basis: Basis = DATA) -> Words:
    """What :func:`parse_residues` reads, as 64-bit words, SEAL's own."""
    return parse_residues(data, components=components, basis=basis).astype(np.uint64)


def parse_residues(data: bytes, *, components: int, basis: Basis = DATA) -> Parsed:
    """Read residues of 3 bytes, little-endian, in the order component, prime, NTT index: (components, primes, 4096).

    Raises :class:`MalformedCiphertext` for a wrong length, a
    residue that is not below its prime, or an all-zero second component (then the first would be the plaintext).
    """
    expected = components * len(basis.primes) * _POLYNOMIAL_BYTES
    if len(data) != expected:
        raise MalformedCiphertext(got=f"{len(data)} B", expected=f"{expected} B")
    # Overlapping 4-byte reads at a stride of 3; the spare last byte keeps the final read inside the buffer.
    overlapping = np.ndarray((expected // RESIDUE_BYTES,), "<u4", buffer=data + b"\0", strides=(RESIDUE_BYTES,))
    words = (overlapping & np.uint32(0xFFFFFF)).reshape(components, len(basis.primes), N)
    if (words.max(axis=(0, 2)) >= np.array(basis.primes)).any():
        raise MalformedCiphertext(got="residue >= prime", expected="residues below their primes")
    if not words[1].any():
        raise MalformedCiphertext(got="second component 0", expected="second component not 0")
    return words


def pack_words(residues: Residues | Parsed) -> bytes:
    """The wire form of residues in [0, 2^24), any shape, in C order."""
    wire = np.empty(RESIDUE_BYTES * residues.size + 1, np.uint8)
    # Overlapping 4-byte writes at a stride of 3, in ascending order: each high zero byte is overwritten by the next
    # residue's low one. The tests compare with bytes joined one by one.
    overlapping = np.ndarray((residues.size,), "<i4", buffer=wire, strides=(RESIDUE_BYTES,))
    overlapping[...] = residues.reshape(-1).astype(np.int32)
    return wire[:-1].tobytes()


# --- keys ------------------------------------------------------------------------------------------------


class PublicKey:
    """An account's public key, checked word by word, ready to encrypt."""

    def __init__(self, data: bytes) -> None:
        """Take 98,304 wire bytes; raises :class:`MalformedCiphertext`."""
        words = parse_integers(data, components=2, basis=KEY)
        self.fingerprint: Final = hashlib.sha256(data).digest()
        self._encryptor = _encryptor(words, KEY.primes)
        self._rough_encryptor = _encryptor(words[:, : len(PRIMES)], PRIMES)

    def zero(self) -> Residues:
        """A fresh encryption of zero, (2, 3, 4096), its noise divided by the special prime (σ ≈ 15)."""
        return self.zero_words().astype(np.float64)

    def zero_words(self) -> Parsed:
        """As :meth:`zero`: words, read-only and where SEAL left them."""
        return _low_words(self._encryptor.encrypt_zero().to_string(_RAW), 2, len(PRIMES), N)

    def rough_zero(self) -> Residues:
        """A fresh encryption of zero, (2, 3, 4096), without a special prime and with the whole noise (σ ≈ 240).

        It costs less than two thirds of :meth:`zero`; beside products of scale Δ² = 2^30 the noise does not show.
        """
        return self.rough_zero_words().astype(np.float64)

    def rough_zero_words(self) -> Parsed:
        """As :meth:`rough_zero`: words, read-only and where SEAL left them."""
        whole = _context(PRIMES).key_context_data().parms_id()
        return _low_words(self._rough_encryptor.encrypt_zero(whole).to_string(_RAW), 2, len(PRIMES), N)


class SecretKey:
    """An account's ternary secret. Never printed, pickled or compared; the key holder alone makes one."""

    __slots__ = ("__dict__", "_residues")

    def __init__(self, residues: Residues) -> None:
        """Take the NTT residues (4, 4096) of the secret, one row for each prime of the key."""
        self._residues = residues

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """Read 1,024 bytes of four coefficients each, low bits first: 0, 1, or 2 for −1."""
        return cls(KEY.forward(ternary_coefficients(packed)))

    def pack(self) -> bytes:
        """The 1,024 bytes that :meth:`unpack` reads; for wrapping, never for a wire."""
        digits = (KEY.inverse(self._residues)[0] % 3).astype(np.uint8).reshape(-1, 4)
        packed: Bytes = (digits << np.array([0, 2, 4, 6], np.uint8)).sum(axis=1, dtype=np.uint8)
        return packed.tobytes()

    @cached_property
    def decryptor(self) -> seal.Decryptor:
        """SEAL's decryptor under this key."""
        context = _context()
        words = self._residues.astype(np.uint64)
        return seal.Decryptor(context, context.from_secret_str(_secret_key_head() + words.tobytes()))

    @cached_property
    def norm_functional(self) -> Words:
        """What takes a norm ciphertext to its coefficient 0: (1, s, σs, s·σs)/4096, as words (4, 3, 4096)."""
        secret = self._residues[: len(PRIMES)]
        conjugate = conjugated(secret)
        basis = np.stack([np.ones_like(secret), secret, conjugate, DATA.residues(secret * conjugate)])
        return DATA.residues(basis * functional(DATA, 0)).astype(np.uint64)

    @cached_property
    def score_functional(self) -> Words:
        """What takes a score ciphertext to its coefficient 127: (1, s, s²) times a functional, (3, 3, 4096)."""
        secret = self._residues[: len(PRIMES)]
        basis = np.stack([np.ones_like(secret), secret, DATA.residues(secret * secret)])
        return DATA.residues(basis * functional(DATA, SCORE_COEFFICIENT)).astype(np.uint64)

    def __repr__(self) -> str:
        return "SecretKey(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret key is not pickled")


def ternary_coefficients(packed: bytes) -> Integers:
    """The 4,096 coefficients of a packed secret; raises :class:`MalformedCiphertext`."""
    if len(packed) != SECRET_KEY_BYTES:
        raise MalformedCiphertext(got=f"{len(packed)} B", expected=f"{SECRET_KEY_BYTES} B")
    digits = np.frombuffer(packed, np.uint8)[:, None] >> np.array([0, 2, 4, 6], np.uint8) & 3
    if (digits == 3).any():  # noqa: PLR2004 – the one two-bit digit that is no ternary coefficient
        raise MalformedCiphertext(got="digit 3", expected="ternary digits")
    coefficients = digits.reshape(N).astype(np.int64)
    coefficients[coefficients == 2] = -1  # noqa: PLR2004 – the digit that stands for −1
    return coefficients


def generate_key() -> tuple[SecretKey, bytes]:
    """A fresh account key by SEAL's generator: the secret and the 98,304 wire bytes of the public key."""
    generator = seal.KeyGenerator(_context())
    secret = _tail_words(generator.secret_key().to_string(), len(KEY.primes), N)
    public = _tail_words(generator.create_public_key().to_string(), 2, len(KEY.primes), N)
    return SecretKey(secret), pack_words(public)


# --- encryption and decryption ---------------------------------------------------------------------------


def encrypt_zero(public_key: PublicKey) -> Residues:
    """A fresh public-key encryption of zero: NTT residues (2, 3, 4096)."""
    return public_key.zero()


def encrypt(public_key: PublicKey, coefficients: Integers) -> Residues:
    """Encrypt int64 coefficients (4096,), |c| ≤ 2^23: SEAL's zero with the message added to the first component."""
    residues = public_key.zero()
    residues[0] = DATA.residues(residues[0] + DATA.forward(coefficients))
    return residues


def open_norm(secret_key: SecretKey, residues: Residues | Words | Parsed) -> int:
    """The centred coefficient 0 of a parsed norm ciphertext (4, 3, 4096), in the basis 1, s, σs, s·σs."""
    return _functional(residues, secret_key.norm_functional)


def open_blinded(secret_key: SecretKey, residues: Residues | Words | Parsed) -> int:
    """The centred coefficient 127 of a parsed score ciphertext (3, 3, 4096): ρ·(score − θΔ²) plus noise."""
    return _functional(residues, secret_key.score_functional)


def open_range(secret_key: SecretKey, residues: Residues | Words | Parsed) -> Integers:
    """The coefficients (2, 4096), centred modulo q1 and q2, of a parsed range ciphertext (2, 2, 4096).

    Rounding noise (σ ≈ 15) is all there is if the sender was honest, and it is the same modulo both primes.
    """
    return RANGE.inverse(open_by_seal(secret_key, residues))


def open_by_seal(secret_key: SecretKey, residues: Residues | Words | Parsed) -> Residues:
    """The NTT residues (primes, 4096) of the plaintext of a ciphertext in the basis 1, s, s², by SEAL's decryptor."""
    components, primes, _ = residues.shape
    words = residues.astype(np.uint64, copy=False)
    sealed = seal.Ciphertext()
    sealed.load_bytes(_context(), b"".join((_ciphertext_head(components, primes), words.data)))
    return _tail_words(secret_key.decryptor.decrypt(sealed).to_bytes(_RAW), primes, N)


def _functional(residues: Residues | Words | Parsed, weights: Words) -> int:
    """One coefficient of one plaintext. SEAL would open all 4096, and knows no σs."""
    words = residues.astype(np.uint64) if residues.dtype == np.float64 else residues
    return DATA.crt(np.einsum("cpi,cpi->p", words, weights).tolist())  # below 4 · 4096 · 2^48 = 2^62


# --- SEAL's containers, inside this process only ---------------------------------------------------------


@cache
def _context(primes: tuple[int, ...] = KEY.primes) -> seal.SEALContext:
    parameters = seal.EncryptionParameters(seal.scheme_type.ckks)
    parameters.set_poly_modulus_degree(N)
    parameters.set_coeff_modulus([seal.Modulus(prime) for prime in primes])
    return seal.SEALContext(parameters)


def _encryptor(words: Words, primes: tuple[int, ...]) -> seal.Encryptor:
    """SEAL's encryptor under a parsed public key (2, primes, 4096)."""
    context = _context(primes)
    return seal.Encryptor(context, context.from_public_str(_public_key_head(primes) + words.tobytes()))


def _tail_words(container: bytes, *shape: int) -> Residues:
    """The raw words at the end of one of our own SEAL containers, as float64 residues."""
    return _low_words(container, *shape).astype(np.float64)


def _low_words(container: bytes, *shape: int) -> Parsed:
    """The same in place: of each 64-bit word, which is below 2^24, the lower half."""
    count = math.prod(shape)
    halves = np.frombuffer(container, "<u4", 2 * count, offset=len(container) - count * _WORD_BYTES)
    return halves[::2].reshape(shape)


@cache
def _sample_key(primes: tuple[int, ...] = KEY.primes) -> seal.KeyGenerator:
    """A key that exists only so that SEAL writes its constant container headers for us."""
    return seal.KeyGenerator(_context(primes))


@cache
def _public_key_head(primes: tuple[int, ...]) -> bytes:
    container: bytes = _sample_key(primes).create_public_key().to_string()
    return container[: -2 * len(primes) * N * _WORD_BYTES]


@cache
def _secret_key_head() -> bytes:
    container: bytes = _sample_key().secret_key().to_string()
    return container[: -len(KEY.primes) * N * _WORD_BYTES]


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
