"""What ``veilface.protect`` refuses.

.. code-block:: text

    VeilfaceError
    └── ProtectError
        ├── MalformedCiphertext   not the exact bytes of suite 0x01
        ├── MalformedEnvelope     a header, certificate or receipt that breaks protocol §4
        ├── BodyMismatch          a body that is not the one the header names
        ├── BadSignature          an ECDSA signature that does not verify
        ├── UnusableEmbedding     not 128 finite numbers of length one
        ├── UnknownScheme         a protection nobody registered
        ├── MalformedTemplate     bytes that are no template or probe of their open scheme
        ├── UnusableToken         a token that is not 32 random bytes
        ├── UnusableKey           a public key that is not 32 bytes
        ├── NotCalibrated         no threshold for a scheme at a false match rate
        └── WeakParameters        parameters that are known to break
            ├── SharedToken           one token for two people
            ├── GroupOutOfRange       groups of ranks that do not fit
            ├── RecordsOutOfRange     negative databases that cannot be made or matched
            └── OneParity             negative databases that linear algebra solves
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


class MalformedTemplate(ProtectError):
    """Bytes that are no template or probe of local ranking or of a negative database; ``got`` and ``expected``."""

    code = "protect.malformed_template"


class UnusableToken(ProtectError):
    """A token of another length, or one that nobody drew at random; details ``got`` and ``expected``."""

    code = "protect.unusable_token"


class UnusableKey(ProtectError):
    """A public key of a keyed protection that has another length; details ``got`` and ``expected``."""

    code = "protect.unusable_key"


class NotCalibrated(ProtectError):
    """No threshold is known for ``scheme`` at ``fmr`` under this embedding contract."""

    code = "protect.not_calibrated"


class WeakParameters(ProtectError):
    """Parameters under which the protection is known to break; details ``got`` and ``expected``."""

    code = "protect.weak_parameters"


class SharedToken(WeakParameters):
    """A token that already belongs to somebody else."""

    code = "protect.shared_token"


class GroupOutOfRange(WeakParameters):
    """Groups of ranks that do not divide the outputs, or are too small to tell people apart."""

    code = "protect.group_out_of_range"


class RecordsOutOfRange(WeakParameters):
    """Records that cannot be made, or counts that no longer point to the hidden string."""

    code = "protect.records_out_of_range"


class OneParity(WeakParameters):
    """Records whose number of wrong values is always odd or always even."""

    code = "protect.one_parity"
