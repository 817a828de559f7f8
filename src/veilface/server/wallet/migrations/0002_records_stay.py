"""The database itself refuses to change what the ledger wrote: entries never, transfers once.

Whoever alters ``wallet_entry`` or ``wallet_transfer`` later makes these triggers again afterwards: SQLite rebuilds a
table to alter it, and forgets its triggers.
"""

from django.db import migrations

FIXED = ("number", "id", "kind", "source_id", "target_id", "amount", "currency", "created_at", "expires_at")
SETTLED_ONCE = " AND ".join(
    ("OLD.state = 'pending'", "NEW.state <> 'pending'", *(f"NEW.{column} = OLD.{column}" for column in FIXED))
)
TRIGGERS = {
    "wallet_entry_is_not_changed": ("UPDATE", "wallet_entry", "FALSE"),
    "wallet_entry_is_not_deleted": ("DELETE", "wallet_entry", "FALSE"),
    "wallet_transfer_settles_once": ("UPDATE", "wallet_transfer", SETTLED_ONCE),
    "wallet_transfer_is_not_deleted": ("DELETE", "wallet_transfer", "FALSE"),
}
BODIES = {
    "sqlite": "WHEN NOT ({allowed}) BEGIN SELECT RAISE(ABORT, '{name}'); END",
    "mysql": "FOR EACH ROW IF NOT ({allowed}) THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{name}'; END IF",
}


def make(_apps, schema_editor):
    body = BODIES[schema_editor.connection.vendor]
    for name, (event, table, allowed) in TRIGGERS.items():
        schema_editor.execute(
            f"CREATE TRIGGER {name} BEFORE {event} ON {table} {body.format(name=name, allowed=allowed)}"
        )


def drop(_apps, schema_editor):
    for name in TRIGGERS:
        schema_editor.execute(f"DROP TRIGGER {name}")


class Migration(migrations.Migration):
    dependencies = [("wallet", "0001_initial")]

    operations = [migrations.RunPython(make, drop, atomic=False)]  # MariaDB makes no trigger in a transaction
