"""The numbers of the protections on the wire: byte 5 of a header, and of a key certificate (protocol §2)."""

from enum import IntEnum


class Suite(IntEnum):
    """Which protection a template, a probe and a key are of. 0x02 is kept for keys that live on the device."""

    HOMOMORPHIC = 0x01
    RANKING = 0x03
    NEGATIVE = 0x04
