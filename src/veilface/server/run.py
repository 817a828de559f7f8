"""The server as a program: prepare the data folder, migrate, check, then serve with gunicorn in this process.

One worker process with several threads: prepared masks live in its memory. More machines, not more workers, make it
larger; a verification that finds no prepared masks makes its own.
"""

import io
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import django
from django.conf import settings
from django.core.management import call_command
from gunicorn.app.base import BaseApplication
from gunicorn.util import import_app

from veilface.server import keyholding, witnessing

if TYPE_CHECKING:
    from collections.abc import Callable

THREADS: Final = 8
GRACEFUL_STOP_S: Final = 10
SECRET_NAME: Final = "secret.key"  # noqa: S105 – a file's name
PRIVATE_FOLDER: Final = 0o700
PRIVATE_FILE: Final = 0o600


def serve(
    data: Path,
    host: str = "127.0.0.1",
    port: int = 8000,
    *,
    origin: str | None = None,
    keyholder_url: str = "https://localhost:8001",
    keyholder_credentials: Path | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is under way and return.

    ``data`` (made with mode 0700) holds the SQLite file, the secret key and, by default, the key holder's
    credentials. ``origin`` is what browsers see; signed messages are bound to it. Everything else comes from
    ``VEILFACE_*`` variables.
    """
    configure(
        data,
        origin=origin or os.environ.get("VEILFACE_ORIGIN") or f"http://localhost:{port}",
        keyholder_url=keyholder_url,
        keyholder_credentials=keyholder_credentials or data / "keyholder",
    )
    prepare()
    keyholding.pinned_public_key()  # credentials that are missing are told now, not by the first request
    Gunicorn(host=host, port=port).run()


def configure(data: Path, *, origin: str, keyholder_url: str, keyholder_credentials: Path) -> None:
    """Make the data folder and its secret, and tell Django's settings where everything is."""
    data.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    data.chmod(PRIVATE_FOLDER)
    os.environ["VEILFACE_DATA"] = str(data.absolute())
    os.environ["VEILFACE_ORIGIN"] = origin
    os.environ["VEILFACE_KEYHOLDER_URL"] = keyholder_url
    os.environ["VEILFACE_KEYHOLDER_CREDENTIALS"] = str(keyholder_credentials.absolute())
    if not os.environ.get("VEILFACE_SECRET_KEY"):
        os.environ.setdefault("VEILFACE_SECRET_KEY_FILE", str(secret_file(data)))
    os.environ["DJANGO_SETTINGS_MODULE"] = "veilface.server.settings"


def secret_file(data: Path) -> Path:
    """The file with the key that signs sessions, made on the first start."""
    file = (data / SECRET_NAME).absolute()
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    except FileExistsError:
        return file
    with os.fdopen(descriptor, "w") as new:
        new.write(secrets.token_urlsafe(48))
    return file


def open_database() -> None:
    """Load the apps and bring the database to this version."""
    os.umask(0o077)
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)


def prepare() -> None:
    """Open the database, run Django's checks, forget what is over."""
    open_database()
    call_command("check", databases=["default"], stdout=io.StringIO())
    call_command("forget")


class Gunicorn(BaseApplication):
    """gunicorn without its command line."""

    def __init__(self, *, host: str, port: int) -> None:
        self.bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        super().__init__()

    def load_config(self) -> None:
        """One worker with threads, our own log lines, no control socket, no server name in answers."""
        chosen = {
            "bind": self.bind,
            "worker_class": "gthread",
            "workers": 1,
            "threads": THREADS,
            "graceful_timeout": GRACEFUL_STOP_S,
            "keepalive": 15,
            "logconfig_dict": settings.LOGGING,
            "accesslog": None,
            "control_socket_disable": True,
            "limit_request_line": 2048,
            "limit_request_fields": 64,
        }
        for name, value in chosen.items():
            self.cfg.set(name, value)

    def load(self) -> "Callable[..., Any]":
        """The WSGI application, loaded in the worker: threads and connections begin after the fork."""
        application = import_app("veilface.server.wsgi:application")
        from veilface.server.galleries import keeper  # noqa: PLC0415 – not before the apps are loaded

        witnessing.start()
        keeper.start()
        return application
