"""What only the terminal can get wrong."""

from veilface.errors import VeilfaceError


class WrongUse(VeilfaceError):
    """The command was called in a way it cannot work: exit status 2."""

    code = "cli.wrong_use"


class WrongLanguage(WrongUse):
    """``--lang`` with something (``got``) that is not one of ``expected``."""

    code = "cli.wrong_language"


class PasswordNeeded(WrongUse):
    """No terminal to ask at, and no ``--password-file``."""

    code = "cli.password_needed"


class ConfirmationNeeded(WrongUse):
    """No terminal to ask at, and no ``--yes``."""

    code = "cli.confirmation_needed"


class OptionsExclude(WrongUse):
    """Options that belong to different tasks were given together: ``first`` and ``second``."""

    code = "cli.options_exclude"


class ConsentNeeded(WrongUse):
    """Somebody is to be registered without ``--consent``."""

    code = "cli.consent_needed"


class NoUsablePicture(VeilfaceError):
    """None of the pictures shows one face well enough."""

    code = "cli.no_usable_picture"


class NoServerData(WrongUse):
    """No server ever ran with the data folder ``path``."""

    code = "cli.no_server_data"


class ReceiptUnreadable(VeilfaceError):
    """The file ``path`` is no payment with its proof, or no key."""

    code = "cli.receipt_unreadable"


class ReceiptDiffers(VeilfaceError):
    """The file says ``got`` in ``field`` where ``expected`` was signed."""

    code = "cli.receipt_differs"
