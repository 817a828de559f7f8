from django.db import migrations, models


class Migration(migrations.Migration):
    """Blocks of before belong to no key that is known, and may hold people of both kinds: the keeper packs them anew."""

    dependencies = (("galleries", "0002_gallery_keyed_at"),)

    operations = (
        migrations.AddField(
            model_name="block",
            name="key_fp",
            field=models.CharField(default="", max_length=64),
        ),
        migrations.AddField(
            model_name="block",
            name="kind",
            field=models.CharField(choices=[("account", "Account"), ("kiosk", "Kiosk")], default="", max_length=10),
        ),
    )
