"""Since when a gallery's key is in use: of those that are there already, at worst since they were made."""

import django.utils.timezone
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import F


def since_they_were_made(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    """An older key than it may be: it is replaced the sooner."""
    apps.get_model("galleries", "Gallery").objects.update(keyed_at=F("created_at"))


class Migration(migrations.Migration):  # noqa: D101 – generated
    dependencies = (("galleries", "0001_initial"),)

    operations = (
        migrations.AddField(
            model_name="gallery",
            name="keyed_at",
            field=models.DateTimeField(default=django.utils.timezone.now),
        ),
        migrations.RunPython(since_they_were_made, migrations.RunPython.noop),
    )
