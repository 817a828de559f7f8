"""What the key holder refuses where galleries are concerned.

::

    KeyHolderError
    ├── Refused
    │   ├── GalleryUnknown     no such gallery, or its key of that epoch was erased
    │   ├── WrongSubject       a gallery where an account is meant, or the reverse
    │   ├── TooManyEpochs      older keys of the gallery were not erased
    │   ├── LimitReached       a kiosk or its gallery asked as often as it may for now
    │   ├── QueryUnknown       a query that was not begun, expired, or has had all its answers
    │   ├── PackUnknown        a packing that was not begun, or took too long
    │   └── TemplateClosed     a template that this gallery may not use
    └── ProbeUnsound           a probe that is not a unit vector, or not under this gallery's key: judged, and counted
"""

from veilface.keyholder.errors import KeyHolderError, Refused


class GalleryUnknown(Refused):
    """There is no key for this gallery and epoch."""

    code = "keyholder.gallery_unknown"
    status = 404


class WrongSubject(Refused):
    """The identifier is a gallery's where an account's is meant, or an account's where a gallery's is."""

    code = "keyholder.wrong_subject"
    status = 409


class TooManyEpochs(Refused):
    """A gallery has keys of at most ``limit`` epochs; older ones must be erased first."""

    code = "keyholder.too_many_epochs"
    status = 409


class LimitReached(Refused):
    """The kiosk, or all of its gallery together, asked as often as they may; again after ``retry_after_s``."""

    code = "keyholder.limit_reached"
    status = 429


class QueryUnknown(Refused):
    """The query was not begun here, is too old, or was answered as often as it may be."""

    code = "keyholder.query_unknown"
    status = 409


class PackUnknown(Refused):
    """The packing was not begun here, or is too old."""

    code = "keyholder.pack_unknown"
    status = 409


class TemplateClosed(Refused):
    """Nobody who opted in has this template's key, or what was sent is under no mask."""

    code = "keyholder.template_closed"
    status = 403


class ProbeUnsound(KeyHolderError):
    """Range or norm of the probe fail; which of them is not said."""

    code = "keyholder.probe_unsound"
    status = 403
