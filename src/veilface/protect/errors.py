"""What ``veilface.protect`` refuses.

.. code-block:: text

    VeilfaceError
    └── ProtectError
        ├── MalformedCiphertext   not the exact bytes of suite 0x01
        ├── MalformedEnvelope     a header, certificate or receipt that breaks protocol §4
        ├── BodyMismatch          a body that is not the one the header names
        ├── BadSignature          an ECDSA signature that does not verify
        ├── UnusableEmbedding     not 128 finite numbers of length one
        └── UnknownScheme         a protection nobody registered
"""

from veilface.errors import VeilfaceError


class ProtectError(VeilfaceError):
    """Root of the errors of this package."""

    code = "protect.failed"


class MalformedCiphertext(ProtectError):
    """Bytes that are no ciphertext or key of suite 0x01; details ``got`` and ``expected``."""

    code = "protect.malformed_ciphertext"


class MalformedEnvelope(ProtectError):
    """A structure that breaks the envelope's layout; details ``field``, ``got`` and ``expected``."""

    code = "protect.malformed_envelope"


class BodyMismatch(ProtectError):
    """SHA-256 of the body is not the header's body_hash."""

    code = "protect.body_mismatch"


class BadSignature(ProtectError):
    """A signature does not verify under the key it should; detail ``signer``."""

    code = "protect.bad_signature"


class UnusableEmbedding(ProtectError):
    """An embedding of wrong shape, with numbers that are not finite, or not of length one."""

    code = "protect.unusable_embedding"


class UnknownScheme(ProtectError):
    """No protection of this name is registered; details ``got`` and ``expected``."""

    code = "protect.unknown_scheme"
