"""Confirming: whoever is signed in proves once more to be the person, by password or passkey."""

from dataclasses import dataclass

from veilface.server.accounts import passkeys, services
from veilface.server.accounts.models import Account
from veilface.server.accounts.passkeys import Assertion
from veilface.server.errors import ConfirmationNeeded


@dataclass(frozen=True, kw_only=True)
class Confirmation:
    """What came with a request: a password, an assertion of a passkey, or neither.

    ``binding`` is that of the asking session; ``address`` counts wrong passwords.
    """

    password: str | None
    passkey: Assertion | None
    binding: bytes
    address: str

    @property
    def given(self) -> bool:
        """Whether there is anything to check."""
        return self.password is not None or self.passkey is not None


def require(account: Account, confirmation: Confirmation) -> None:
    """Raise unless it is the person: ``ConfirmationNeeded``, ``WrongCredentials`` or ``PasskeyRefused``."""
    if confirmation.passkey is not None:
        passkeys.confirm(account, confirmation.passkey, binding=confirmation.binding)
        services.reopen_password(account)
    elif confirmation.password is not None:
        services.authenticate(username=account.username, password=confirmation.password, address=confirmation.address)
    else:
        raise ConfirmationNeeded
