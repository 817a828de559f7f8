"""What the key holder refuses where galleries are concerned.

::

    Refused
    ├── GalleryUnknown     no such gallery, or its key of that epoch was erased
    ├── ProbeUnsound       a probe that is not a unit vector, or not under this gallery's key
    └── QueryUnknown       a query that was not begun, expired, or has had all its answers
"""

from veilface.keyholder.errors import Refused


class GalleryUnknown(Refused):
    """There is no key for this gallery and epoch."""

    code = "keyholder.gallery_unknown"
    status = 404


class ProbeUnsound(Refused):
    """Range or norm of the probe fail; which of them is not said."""

    code = "keyholder.probe_unsound"
    status = 403


class QueryUnknown(Refused):
    """The query was not begun here, is too old, or was answered as often as it may be."""

    code = "keyholder.query_unknown"
    status = 409
