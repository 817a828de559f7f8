"""What a gallery refuses.

.. code-block:: text

    MatchError
    ├── QueryMasksSpent     masks of a query offered a second time, or in another process
    ├── GalleryDamaged      block files that are missing or not what was written, or under another key
    ├── GalleryBusy         another process packs, or the layout never stands still
    └── GalleryEmpty        nobody to compare with
"""

from veilface.match.errors import MatchError


class QueryMasksSpent(MatchError):
    """Masks of a query are single-use: two answers under one set reveal differences of scores."""

    code = "match.query_masks_spent"


class GalleryDamaged(MatchError):
    """Blocks (``blocks``, their number) that are missing, not what was written, or under another key; rebuild them."""

    code = "match.gallery_damaged"


class GalleryBusy(MatchError):
    """Nothing was done; try again a moment later."""

    code = "match.gallery_busy"


class GalleryEmpty(MatchError):
    """A gallery without a packed block."""

    code = "match.gallery_empty"
