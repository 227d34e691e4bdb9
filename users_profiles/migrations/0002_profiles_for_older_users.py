"""Give a profile to every user that is older than the profiles."""

from django.db import migrations


def create_profiles(apps, schema_editor):
    User = apps.get_model("users_profiles", "User")
    Profile = apps.get_model("users_profiles", "Profile")
    database = schema_editor.connection.alias
    batch = []
    for key in User.objects.using(database).filter(profile=None).values_list("pk", flat=True).iterator():
        batch.append(Profile(user_id=key))
        if len(batch) == 1_000:
            Profile.objects.using(database).bulk_create(batch, ignore_conflicts=True)
            batch = []
    Profile.objects.using(database).bulk_create(batch, ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [("users_profiles", "0001_initial")]

    # Backwards there is nothing to do: the table goes with the first migration.
    operations = [migrations.RunPython(create_profiles, migrations.RunPython.noop)]
