"""``VEILFACE_DATABASE_URL`` to Django's database settings: SQLite, MariaDB or MySQL."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pymysql

# Readers never block the writer, a commit is on the disk when it returns, a writer takes its lock at BEGIN
# (no upgrade from a read lock can fail half-way), and an erased template is overwritten in the file.
SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA secure_delete=ON; "
    "PRAGMA journal_size_limit=16777216;"
)
SQLITE_BUSY_SECONDS = 20
MYSQL_CONNECT_SECONDS = 5


def configure(url: str) -> dict[str, Any]:
    """One entry of ``DATABASES``.

    ``sqlite:////absolute/path`` · ``mariadb://user:password@host:3306/name`` · the same with
    ``?unix_socket=/path``; ``mysql:`` is the same driver. Raises ``ValueError`` for any other scheme.
    """
    scheme = urlsplit(url).scheme
    if scheme == "sqlite":
        return _sqlite(Path(unquote(urlsplit(url).path.removeprefix("/"))))
    if scheme in {"mysql", "mariadb"}:
        return _mysql(url)
    raise ValueError(f"VEILFACE_DATABASE_URL must begin with sqlite:, mariadb: or mysql:, got {scheme!r}")


def _sqlite(file: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(file),
        "OPTIONS": {
            "init_command": SQLITE_PRAGMAS,
            "transaction_mode": "IMMEDIATE",
            "timeout": SQLITE_BUSY_SECONDS,
        },
        "TEST": {"NAME": f"{file}.test"},
    }


def _mysql(url: str) -> dict[str, Any]:
    pymysql.install_as_MySQLdb()  # Django's mysql backend asks for mysqlclient by its module name
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.mysql",
        "NAME": unquote(parts.path.removeprefix("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        # REPEATABLE READ loses updates on MySQL and MariaDB.
        "OPTIONS": {
            "charset": "utf8mb4",
            "isolation_level": "read committed",
            "connect_timeout": MYSQL_CONNECT_SECONDS,
            "init_command": "SET sql_mode='STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION'",
            **dict(parse_qsl(parts.query)),
        },
        "CONN_HEALTH_CHECKS": True,
        "TEST": {"CHARSET": "utf8mb4"},
    }
