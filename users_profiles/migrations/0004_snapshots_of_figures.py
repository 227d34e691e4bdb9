from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("users_profiles", "0003_versions_of_people"),
    ]

    operations = [
        migrations.CreateModel(
            name="Snapshot",
            fields=[
                ("name", models.CharField(max_length=30, primary_key=True, serialize=False)),
                ("counts", models.JSONField(null=True)),
                ("counted_at", models.DateTimeField(null=True)),
                ("ordered_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "snapshot of figures",
                "verbose_name_plural": "snapshots of figures",
                "default_permissions": (),
            },
        ),
    ]
