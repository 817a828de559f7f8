"""What the wallet refuses. Nothing was moved by whatever is refused.

::

    ServerError
    └── WalletError
        ├── amounts      AmountOutOfRange · NotEnoughMoney · DailyLimit
        ├── payee codes  PayeeCodeUnusable · PayeeCodeExpired · OwnPayeeCode · OtherAmount · PayeeGone
        ├── orders       OrderExpired · OrderPaid · OrderBusy · OtherStatement · PaymentNeedsPassword
        │                PaymentInterrupted
        ├── closing      MoneyLeft
        ├── transfers    TransferSettled · NothingToRefund · RecordFinal · LedgerBroken
        └── repetition   KeyReused · StillWorking
"""

from veilface.server.errors import ServerError


class WalletError(ServerError):
    """The root of the wallet's errors."""

    code = "wallet.failed"


# --- amounts ---------------------------------------------------------------------------------------------


class AmountOutOfRange(WalletError):
    """Not between 1 and ``limit`` minor units."""

    code = "wallet.amount_out_of_range"
    status = 422


class NotEnoughMoney(WalletError):
    """The wallet holds less than that."""

    code = "wallet.not_enough"
    status = 409


class DailyLimit(WalletError):
    """More than ``left`` minor units, which is what is left of the last 24 hours' limit."""

    code = "wallet.daily_limit"
    status = 409


# --- payee codes -----------------------------------------------------------------------------------------


class PayeeCodeUnusable(WalletError):
    """Not a code this site made."""

    code = "wallet.code_unusable"
    status = 422


class PayeeCodeExpired(WalletError):
    """The code was good until a moment ago."""

    code = "wallet.code_expired"
    status = 410


class OwnPayeeCode(WalletError):
    """Nobody pays themselves."""

    code = "wallet.own_code"
    status = 409


class OtherAmount(WalletError):
    """The code names ``expected`` minor units, or none were named at all."""

    code = "wallet.other_amount"
    status = 409


class PayeeGone(WalletError):
    """The payee, or for a refund the payer, has no account any more."""

    code = "wallet.payee_gone"
    status = 410


# --- orders ----------------------------------------------------------------------------------------------


class OrderExpired(WalletError):
    """The order could be paid until a moment ago."""

    code = "wallet.order_expired"
    status = 410


class OrderPaid(WalletError):
    """The order is paid; its nonce is used."""

    code = "wallet.order_paid"
    status = 409


class OrderBusy(WalletError):
    """Another message is paying this order right now."""

    code = "wallet.order_busy"
    status = 409


class OtherStatement(WalletError):
    """The message was signed for another payee, amount, order or end."""

    code = "wallet.other_statement"
    status = 403


class PaymentNeedsPassword(WalletError):
    """More than ``limit`` minor units: the face alone is not enough."""

    code = "wallet.password_needed"
    status = 403


class PaymentInterrupted(WalletError):
    """The server stopped while this message was judged: the money was not moved, and this message never will."""

    code = "wallet.interrupted"
    status = 409


# --- closing ---------------------------------------------------------------------------------------------


class MoneyLeft(WalletError):
    """The account's wallet holds ``left`` minor units, which would be lost with the account."""

    code = "wallet.money_left"
    status = 409


# --- transfers -------------------------------------------------------------------------------------------


class TransferSettled(WalletError):
    """The transfer is posted, voided or expired already."""

    code = "wallet.transfer_settled"
    status = 409


class NothingToRefund(WalletError):
    """Not more than ``left`` minor units of this payment can still be given back."""

    code = "wallet.nothing_to_refund"
    status = 409


class RecordFinal(WalletError):
    """A record of the ledger was to be changed or deleted."""

    code = "wallet.record_final"


class LedgerBroken(WalletError):
    """The books do not agree: ``got`` is not ``expected`` in ``field``."""

    code = "wallet.ledger_broken"


# --- repetition ------------------------------------------------------------------------------------------


class KeyReused(WalletError):
    """The key came before, with another request."""

    code = "wallet.key_reused"
    status = 422


class StillWorking(WalletError):
    """The request with this key is not finished; its answer is there in ``retry_after_s`` at the latest."""

    code = "wallet.still_working"
    status = 409
