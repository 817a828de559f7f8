"""What can go wrong between a camera and a screen.

::

    WatchError
    ├── VideoSupportMissing   PyAV is not installed
    ├── SourceUnusable        no such camera, or a file that is no video
    ├── CameraLost            it was there, and did not come back
    ├── NoPictures            a folder without a picture
    └── OutputUnusable        nothing can be written there
"""

from veilface.errors import VeilfaceError


class WatchError(VeilfaceError):
    """Nothing can be watched."""

    code = "watch.failed"


class VideoSupportMissing(WatchError):
    """PyAV, which reads cameras and videos, is not installed."""

    code = "watch.video_support_missing"


class SourceUnusable(WatchError):
    """``source`` cannot be opened, or shows nothing: ``reason``."""

    code = "watch.source_unusable"


class CameraLost(WatchError):
    """Camera ``camera`` stopped and did not come back at any of ``attempts`` attempts."""

    code = "watch.camera_lost"


class NoPictures(WatchError):
    """The folder ``path`` has no JPEG, PNG or WebP file."""

    code = "watch.no_pictures"


class OutputUnusable(WatchError):
    """The annotated frames cannot be written to ``path``: ``reason``."""

    code = "watch.output_unusable"
