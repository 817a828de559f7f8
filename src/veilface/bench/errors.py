"""What keeps a running program from being measured."""

from veilface.errors import VeilfaceError


class Unexpected(VeilfaceError):
    """The server answered ``got`` at ``path`` where it must say ``expected``."""

    code = "bench.unexpected"
