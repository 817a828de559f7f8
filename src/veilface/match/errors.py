"""What ``veilface.match`` refuses.

.. code-block:: text

    VeilfaceError
    └── MatchError
        ├── MasksSpent          a mask set offered a second time
        └── MasksDoNotFit       a mask set made for another purpose
"""

from veilface.errors import VeilfaceError


class MatchError(VeilfaceError):
    """Root of the errors of this package."""

    code = "match.failed"


class MasksSpent(MatchError):
    """A mask set is single-use: used twice, the difference of two answers would be unmasked."""

    code = "match.masks_spent"


class MasksDoNotFit(MatchError):
    """A mask set prepared for ``got`` was offered for ``expected``."""

    code = "match.masks_do_not_fit"
