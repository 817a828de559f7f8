"""Templates and challenges of more than one protection. Challenges that are under way are of the first one."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("enrolment", "0001_initial")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="challenge",
            name="suite",
            field=models.PositiveSmallIntegerField(default=1),
            preserve_default=False,
        ),
        migrations.AlterField(model_name="template", name="scheme", field=models.CharField(max_length=20)),
    ]
