from django.db import migrations

from users_profiles.models.folded import FoldedField


class Migration(migrations.Migration):
    """What people are put in order by; empty until the next migration has filled it."""

    dependencies = [("users_profiles", "0019_trail_by_hand")]

    operations = [
        migrations.AddField("user", "first_name_folded", FoldedField(of="first_name")),
        migrations.AddField("user", "last_name_folded", FoldedField(of="last_name")),
        migrations.AddField("profile", "location_folded", FoldedField(of="location")),
    ]
