"""What galleries refuse. Nothing was changed by whatever is refused.

::

    ServerError
    └── GalleryError
        ├── operators   GalleryNameUnusable · GalleryNameTaken · PurposeUnusable · GalleryMissing · KioskMissing
        │               KioskAmbiguous
        ├── people      TemplateUnfit
        ├── kiosks      InvitationUnusable · KioskTokenInvalid · KioskWaits · RegisteringOff · ConsentMissing
        │               NameNotRepeated · PersonHasAccount · PersonKnown · PersonAmbiguous · NameUnreadable
        │               PersonNotAccepted
        └── the room    GalleryElsewhere · GalleryUnusable · RegisteringBusy
"""

from veilface.server.errors import ServerError


class GalleryError(ServerError):
    """The root of this app's errors."""

    code = "galleries.failed"


# --- operators -------------------------------------------------------------------------------------------


class GalleryNameUnusable(GalleryError):
    """Empty, longer than ``limit`` characters, or with control characters."""

    code = "galleries.name_unusable"
    status = 422


class GalleryNameTaken(GalleryError):
    """Another gallery is called ``name``."""

    code = "galleries.name_taken"
    status = 409


class PurposeUnusable(GalleryError):
    """Empty, longer than ``limit`` characters, or with control characters."""

    code = "galleries.purpose_unusable"
    status = 422


class GalleryMissing(GalleryError):
    """No gallery has this name or id (``got``)."""

    code = "galleries.missing"
    status = 404


class KioskMissing(GalleryError):
    """No kiosk of the gallery has this name or id (``got``)."""

    code = "galleries.kiosk_missing"
    status = 404


class KioskAmbiguous(GalleryError):
    """Several kiosks of the gallery are called ``got``: ``ids``, with commas between them, says which."""

    code = "galleries.kiosk_ambiguous"
    status = 409


# --- people ----------------------------------------------------------------------------------------------


class TemplateUnfit(GalleryError):
    """The account has no template, or one that scores in the open: a gallery takes encrypted ones only."""

    code = "galleries.template_unfit"
    status = 409


# --- kiosks ----------------------------------------------------------------------------------------------


class InvitationUnusable(GalleryError):
    """The code is unknown, was used, or is too old; which of them is not said."""

    code = "galleries.invitation_unusable"
    status = 403


class KioskTokenInvalid(GalleryError):
    """The kiosk's token is unknown, or the kiosk was revoked."""

    code = "galleries.kiosk_token_invalid"
    status = 401


class KioskWaits(GalleryError):
    """The kiosk is not active yet: another one of its gallery has not approved it, and its time has not come."""

    code = "galleries.kiosk_waits"
    status = 403


class RegisteringOff(GalleryError):
    """The operator did not allow this gallery's kiosks to register people."""

    code = "galleries.registering_off"
    status = 403


class ConsentMissing(GalleryError):
    """The kiosk did not say that the person agreed."""

    code = "galleries.consent_missing"
    status = 422


class NameNotRepeated(GalleryError):
    """To delete everybody, the gallery's name must be repeated."""

    code = "galleries.name_not_repeated"
    status = 422


class PersonHasAccount(GalleryError):
    """Who opted in with an account has their own name, and leaves by themselves."""

    code = "galleries.person_has_account"
    status = 409


class PersonKnown(GalleryError):
    """Whoever is to be registered is in the gallery already: ``person`` is their id, ``name`` and ``kind`` say who."""

    code = "galleries.person_known"
    status = 409


class PersonAmbiguous(GalleryError):
    """Whoever is to be registered is like several who are in the gallery already."""

    code = "galleries.person_ambiguous"
    status = 409


class NameUnreadable(GalleryError):
    """The field of the name is not the length of a name, the name in UTF-8 and zeros."""

    code = "galleries.name_unreadable"
    status = 400


class PersonNotAccepted(GalleryError):
    """The key holder judged the template, beside the probe, and did not accept it; ``receipt`` is its signed word."""

    code = "galleries.person_not_accepted"
    status = 422


# --- the room --------------------------------------------------------------------------------------------


class GalleryElsewhere(GalleryError):
    """Another process keeps the galleries of this data folder."""

    code = "galleries.elsewhere"
    status = 503


class GalleryUnusable(GalleryError):
    """The gallery is damaged and being rebuilt: no answer is given over a part of it."""

    code = "galleries.unusable"
    status = 503


class RegisteringBusy(GalleryError):
    """Others are being registered, or everybody is packed anew: whoever waits for that takes a thread from the site."""

    code = "galleries.busy"
    status = 503
