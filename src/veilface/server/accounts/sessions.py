"""Django's database sessions, except that the row holds the key's SHA-256: a stolen database opens no session."""

import hashlib
from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.models import Session
from django.utils import timezone


class SessionStore(DatabaseStore):
    """Sessions found by the digest of the key in the cookie."""

    def load(self) -> dict[str, Any]:
        """The session's data, or an empty one without a key where none is live."""
        row = Session.objects.filter(session_key=digest_of(self.session_key), expire_date__gt=timezone.now()).first()
        if row is None:
            self._session_key = None
            return {}
        return self.decode(row.session_data)

    def exists(self, session_key: str | None) -> bool:
        """Whether a session has this key."""
        return Session.objects.filter(session_key=digest_of(session_key)).exists()

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """The row to be written; ``save`` has made sure of a key."""
        return Session(
            session_key=digest_of(self.session_key),
            session_data=self.encode(data),
            expire_date=self.get_expiry_date(),
        )

    def delete(self, session_key: str | None = None) -> None:
        """End the session with this key, or this one."""
        Session.objects.filter(session_key=digest_of(session_key or self.session_key)).delete()


def digest_of(session_key: str | None) -> str:
    """How rows name a session: 160 bits of its key's SHA-256, as wide as Django's column."""
    return hashlib.sha256((session_key or "").encode()).hexdigest()[:40]
