from typing import Any

from django.contrib.sessions.models import Session
from django.core.management.base import BaseCommand
from django.utils import timezone

from veilface.server.accounts import passkeys, services, sign_ins, throttle
from veilface.server.enrolment import challenges
from veilface.server.galleries import operating
from veilface.server.wallet import idempotency, ledger, orders


class Command(BaseCommand):
    """Delete rows that nothing looks at any more, and give back what was held too long."""

    help = "Forgets expired sessions, tokens, throttles, challenges and holds. The server does so at every start."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Forget."""
        Session.objects.filter(expire_date__lte=timezone.now()).delete()
        services.forget_expired_tokens()
        sign_ins.forget_ended()
        passkeys.forget_expired()
        throttle.forget_ended()
        challenges.forget_expired()
        operating.forget_old()
        ledger.expire_due()
        idempotency.forget_old()
        orders.forget_old()
