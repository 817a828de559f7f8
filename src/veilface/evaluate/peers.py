"""What the encrypted path is measured against: plain NumPy as the floor, TenSEAL as the peer.

TenSEAL runs as CipherFace and its own tutorials run it: CKKS, n = 8192, primes of [60, 40, 40, 60] bits, scale
2^40, both vectors encrypted, ``dot`` with rotations – so with relinearisation and Galois keys at the server.
"""

import timeit
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from veilface.evaluate.errors import PeerMissing

DEGREE: Final = 8192
PRIME_BITS: Final = (60, 40, 40, 60)
SCALE_BITS: Final = 40
PLAIN_REPEATS: Final = 1000


@dataclass(frozen=True, kw_only=True)
class PeerSizes:
    """Bytes that travel or are stored: one probe, one template, and the keys that the server needs to compute."""

    probe: int
    template: int
    evaluation_keys: int


class TenSeal:
    """TenSEAL's encrypted dot product; raises :class:`PeerMissing` where it is not installed."""

    name: Final = "TenSEAL ckks_vector.dot"

    def __init__(self) -> None:
        try:
            import tenseal  # noqa: PLC0415 – an extra that only this measurement needs
        except ImportError as error:
            raise PeerMissing(package="tenseal") from error
        self._tenseal = tenseal
        self._context = tenseal.context(
            tenseal.SCHEME_TYPE.CKKS, poly_modulus_degree=DEGREE, coeff_mod_bit_sizes=list(PRIME_BITS)
        )
        self._context.global_scale = 2**SCALE_BITS
        self._context.generate_galois_keys()

    def encrypt(self, vector: NDArray[np.float32]) -> Any:
        """An encrypted vector."""
        return self._tenseal.ckks_vector(self._context, vector.tolist())

    @staticmethod
    def dot(template: Any, probe: Any) -> Any:
        """The encrypted inner product: what the server does, multiplication, relinearisation and rotations."""
        return template.dot(probe)

    @staticmethod
    def decide(score: Any, threshold: float) -> bool:
        """Whoever has the key decrypts the score itself and compares."""
        return bool(score.decrypt()[0] >= threshold)

    def sizes(self, vector: NDArray[np.float32]) -> PeerSizes:
        """Sizes as serialised by TenSEAL. The evaluation keys are its public context less the same without them."""
        with_keys = self._context.serialize(save_secret_key=False)
        without = self._context.serialize(save_secret_key=False, save_galois_keys=False, save_relin_keys=False)
        one = len(self.encrypt(vector).serialize())
        return PeerSizes(probe=one, template=one, evaluation_keys=len(with_keys) - len(without))


def plain_dot_ms(template: NDArray[np.float32], probe: NDArray[np.float32]) -> float:
    """Milliseconds for one float32 inner product in plaintext, as the mean of a thousand in a row."""
    return timeit.timeit(lambda: np.dot(template, probe), number=PLAIN_REPEATS) / PLAIN_REPEATS * 1000
