"""Masks, prepared while the person is still in front of the camera, and the public keys they are made with."""

from functools import cache, lru_cache
from typing import Final

from veilface.match.masks import MaskPool, MaskSet, Purpose, prepare
from veilface.server import keyholding

KEYS_KEPT: Final = 128  # of at most 98,304 B each


@cache
def pool() -> MaskPool:
    """The process's pool; its thread starts with the first use, so never before a fork."""
    return MaskPool()


def prepare_soon(*, account: str, challenge: str, key_fp: str, purpose: Purpose) -> None:
    """Begin to prepare masks for the message that will answer the account's ``challenge``."""
    pool().prepare_soon(challenge, public_key(key_fp), purpose, owner=account)


def masks(*, challenge: str, key_fp: str, purpose: Purpose) -> MaskSet:
    """The masks prepared for ``challenge``, or new ones where there are none."""
    return pool().take(challenge) or prepare(public_key(key_fp), purpose=purpose)


@lru_cache(maxsize=KEYS_KEPT)
def public_key(key_fp: str) -> bytes:
    """The public key of this fingerprint, 98,304 B or 32 B; a fingerprint never names another one."""
    return keyholding.keyholder().public_key(bytes.fromhex(key_fp))
