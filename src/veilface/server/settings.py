"""Django's settings, read from ``VEILFACE_*``; every one has a default that runs on one machine.

A variable that holds a secret may be given as a file: ``VEILFACE_SECRET_KEY_FILE``, ``VEILFACE_DATABASE_URL_FILE``.
"""

import re
import secrets
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from veilface import messages
from veilface.contract import CONTRACT
from veilface.messages import parse_language
from veilface.server import databases, env, logs

HERE = Path(__file__).parent

# --- this installation -----------------------------------------------------------------------------------

DATA = env.path("VEILFACE_DATA", Path("data/server"))
ORIGIN = env.text("VEILFACE_ORIGIN", "http://localhost:8000").rstrip("/")
SITE_FILE = env.path("VEILFACE_SITE_FILE", HERE / "site.toml")
KEYHOLDER_URL = env.text("VEILFACE_KEYHOLDER_URL", "https://localhost:8001")
KEYHOLDER_CREDENTIALS = env.path("VEILFACE_KEYHOLDER_CREDENTIALS", DATA / "keyholder")
GALLERIES = env.path("VEILFACE_GALLERIES", DATA / "galleries")
AUDIT_HEADS = env.path("VEILFACE_AUDIT_HEADS", DATA / "audit-heads.jsonl")
PROXY_HOPS = env.integer("VEILFACE_PROXY_HOPS", 0)
VERSION = version("veilface")
DEFAULT_LANGUAGE = parse_language(env.text("VEILFACE_LANG", "")) or messages.DEFAULT_LANGUAGE
TERMS_VERSION = "2026-11"
CONTRACT_IN_USE = CONTRACT

SECURE_ORIGIN = ORIGIN.startswith("https://")
DEBUG = False
LANGUAGE_CODE = "zh-hans"
USE_I18N = False  # sentences come from veilface.messages, in the language each request asks for
USE_TZ = True
TIME_ZONE = "UTC"

# --- what is served --------------------------------------------------------------------------------------

ALLOWED_HOSTS = [urlsplit(ORIGIN).hostname or "localhost", "localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS += env.words("VEILFACE_ALLOWED_HOSTS")
ROOT_URLCONF = "veilface.server.urls"
APPEND_SLASH = False
INSTALLED_APPS = [
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "ninja",
    "veilface.server.apps.ServerConfig",
    "veilface.server.accounts.apps.AccountsConfig",
    "veilface.server.enrolment.apps.EnrolmentConfig",
    "veilface.server.galleries.apps.GalleriesConfig",
    "veilface.server.wallet.apps.WalletConfig",
]
MIDDLEWARE = [
    "veilface.server.middleware.RequestLog",
    "veilface.server.middleware.SecurityHeaders",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "veilface.server.middleware.ApiBodies",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
STATIC_URL = "/static/"
WEB_ROOT = HERE / "static" / "web"
WHITENOISE_USE_FINDERS = True
WHITENOISE_ALLOW_ALL_ORIGINS = False
WHITENOISE_MIMETYPES = {
    ".mjs": "text/javascript",
    ".wasm": "application/wasm",
    ".onnx": "application/octet-stream",
    ".webmanifest": "application/manifest+json",
}
_HASHED_NAME = re.compile(r"/static/web/assets/.+-[A-Za-z0-9_-]{8}\.\w+$")


def WHITENOISE_IMMUTABLE_FILE_TEST(_path: str, url: str) -> bool:  # noqa: N802 – a setting's name
    """Whether the build put the content's hash in the name, so that a browser may keep the file for ever."""
    return _HASHED_NAME.match(url) is not None


# --- limits ----------------------------------------------------------------------------------------------

IMAGE_BYTES = 6_000_000  # of pictures chosen on the device; none is ever sent here
IMAGE_PIXELS = 40_000_000
DATA_UPLOAD_MAX_MEMORY_SIZE = 160 * 1024
FILE_UPLOAD_HANDLERS: list[str] = []  # no file is ever uploaded, so none can reach a temporary folder

# --- wallet: amounts in minor units of the one currency, times in seconds --------------------------------

WALLET_CURRENCY = env.text("VEILFACE_WALLET_CURRENCY", "CNY")
WALLET_EXPONENT = env.integer("VEILFACE_WALLET_EXPONENT", 2)
WALLET_PROVIDER = env.text("VEILFACE_WALLET_PROVIDER", "sandbox")
WALLET_TOP_UP_MAX = env.integer("VEILFACE_WALLET_TOP_UP_MAX", 500_000)
WALLET_TOP_UP_DAILY_MAX = env.integer("VEILFACE_WALLET_TOP_UP_DAILY_MAX", 2_000_000)
WALLET_PAYMENT_MAX = env.integer("VEILFACE_WALLET_PAYMENT_MAX", 500_000)
WALLET_DAILY_MAX = env.integer("VEILFACE_WALLET_DAILY_MAX", 2_000_000)
WALLET_FACE_ONLY_MAX = env.integer("VEILFACE_WALLET_FACE_ONLY_MAX", 20_000)
WALLET_HOLD_S = env.integer("VEILFACE_WALLET_HOLD_S", 60)  # longer than any request lives
WALLET_ORDER_S = env.integer("VEILFACE_WALLET_ORDER_S", 300)
WALLET_CODE_S = env.integer("VEILFACE_WALLET_CODE_S", 600)
WALLET_TOP_UP_S = env.integer("VEILFACE_WALLET_TOP_UP_S", 24 * 3600)

# --- galleries -------------------------------------------------------------------------------------------

GALLERY_ROTATION_DAYS = env.integer("VEILFACE_GALLERY_ROTATION_DAYS", 30)  # 0: only when an operator asks for it

# --- liveness: what asks for movements -------------------------------------------------------------------

LIVENESS = env.choices("VEILFACE_LIVENESS", frozenset({"login", "payment"}))

# --- secrets, sessions, passwords ------------------------------------------------------------------------

# Without one (schema export, type checks, tests) it lives as long as the process; veilface.server.run keeps one.
SECRET_KEY = env.secret("VEILFACE_SECRET_KEY") or secrets.token_urlsafe(48)
SESSION_ENGINE = "veilface.server.accounts.sessions"
SESSION_COOKIE_NAME = "__Host-veilface" if SECURE_ORIGIN else "veilface"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = SECURE_ORIGIN
CSRF_COOKIE_NAME = "veilface_csrf"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = SECURE_ORIGIN
CSRF_TRUSTED_ORIGINS = [ORIGIN]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.ScryptPasswordHasher",
]

# --- database and logs -----------------------------------------------------------------------------------

DATABASES: dict[str, dict[str, Any]] = {
    "default": databases.configure(env.secret("VEILFACE_DATABASE_URL") or f"sqlite:///{DATA / 'veilface.sqlite3'}")
    | {"CONN_MAX_AGE": None}
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOG_LEVEL = env.text("VEILFACE_LOG_LEVEL", "INFO")
LOGGING_CONFIG = None
LOGGING = logs.configuration(level=LOG_LEVEL)
logs.configure(LOGGING)
