"""Whose a code is once it was used, and whether the key holder knows of a revocation: of earlier ones it does not."""

from django.db import migrations, models


class Migration(migrations.Migration):  # noqa: D101 – generated
    dependencies = (("galleries", "0003_block_key_and_kind"),)

    operations = (
        migrations.AddField(
            model_name="invitation",
            name="taken_by",
            field=models.CharField(blank=True, default="", max_length=64),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="kiosk",
            name="revocation_told",
            field=models.BooleanField(default=False),
        ),
    )
