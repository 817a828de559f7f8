"""What keeps a measurement from being made.

::

    EvaluateError
    ├── PeerMissing       the library to compare with is not installed
    ├── NoPeople          a folder without pictures of at least two people
    ├── DataUnusable      a data set without what can be measured
    ├── NotEnoughMemory   what is to be measured does not fit
    └── PathBroken        the path under test refused what it should have accepted
"""

from veilface.errors import VeilfaceError


class EvaluateError(VeilfaceError):
    """The root of this package's errors."""

    code = "evaluate.failed"


class PeerMissing(EvaluateError):
    """``package`` is needed to compare with and is not installed."""

    code = "evaluate.peer_missing"


class NoPeople(EvaluateError):
    """``path`` lacks what is needed: a sub-folder per person, at least ``expected`` pictures that can be used."""

    code = "evaluate.no_people"


class DataUnusable(EvaluateError):
    """``path`` holds ``got`` where ``expected`` is needed."""

    code = "evaluate.data_unusable"


class NotEnoughMemory(EvaluateError):
    """``got`` is free and ``expected`` needed."""

    code = "evaluate.not_enough_memory"


class PathBroken(EvaluateError):
    """The key holder did not accept in ``stage`` what it should have."""

    code = "evaluate.path_broken"
