"""How an engine fails. It never answers over a part of a gallery.

.. code-block:: text

    MatchError
    └── EngineFailed
        ├── EngineUnavailable   no scheduler, no worker, or no answer in time
        ├── EngineIncomplete    answers that are not one for every block
        ├── EngineMissing       an engine whose packages are not installed
        └── EngineUnknown       settings that name no engine, or one that must not be used so
"""

from veilface.match.errors import MatchError


class EngineFailed(MatchError):
    """A gallery could not be scanned."""

    code = "match.engine_failed"


class EngineUnavailable(EngineFailed):
    """Nobody answered within the time allowed, also after what was lost was placed elsewhere."""

    code = "match.engine_unavailable"


class EngineIncomplete(EngineFailed):
    """Of ``expected`` blocks ``got`` were answered for, once each and in the right shape."""

    code = "match.engine_incomplete"


class EngineMissing(EngineFailed):
    """``extra`` names what to install."""

    code = "match.engine_missing"


class EngineUnknown(EngineFailed):
    """``got`` is not ``expected``."""

    code = "match.engine_unknown"
