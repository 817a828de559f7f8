"""What ``face`` refuses. The browser throws the same codes (``web/src/face/errors.ts``)."""

from veilface.errors import VeilfaceError


class FaceError(VeilfaceError):
    """A picture or a face could not be used."""

    code = "face.failed"


class PictureError(FaceError):
    """The file is not a picture that we read."""


class UnknownPictureType(PictureError):
    """Neither JPEG nor PNG nor WebP, whatever the file's name says."""

    code = "face.unknown_picture_type"


class BrokenPicture(PictureError):
    """Truncated or damaged."""

    code = "face.broken_picture"


class PictureTooHeavy(PictureError):
    """More bytes than allowed. Details: ``got``, ``limit`` in bytes."""

    code = "face.picture_too_heavy"


class TooManyPixels(PictureError):
    """More pixels than allowed. Details: ``width``, ``height``, ``limit``."""

    code = "face.too_many_pixels"


class PictureTooSmall(PictureError):
    """A side shorter than a face needs. Details: ``width``, ``height``, ``least``."""

    code = "face.picture_too_small"


class NoFace(FaceError):
    """No face was found."""

    code = "face.no_face"


class SeveralFaces(FaceError):
    """Nobody stands out among the faces. Details: ``count``."""

    code = "face.several_faces"


class PoorQuality(FaceError):
    """The face would not make a good template. Details: ``problems``, codes joined by commas."""

    code = "face.poor_quality"
