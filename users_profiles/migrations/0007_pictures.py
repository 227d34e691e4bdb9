import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import users_profiles.avatars
import users_profiles.models.pictures


class Migration(migrations.Migration):

    dependencies = [
        ('users_profiles', '0006_leaner_row_index'),
    ]

    operations = [
        migrations.CreateModel(
            name='ImportPicture',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('file', users_profiles.avatars.AvatarField(blank=True, upload_to=users_profiles.models.pictures.given_name, verbose_name='picture')),
                ('given', models.CharField(blank=True, max_length=100)),
                ('job', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='pictures', to='users_profiles.import')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'imported picture',
                'verbose_name_plural': 'imported pictures',
                'ordering': ['number'],
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('job', 'number'), name='import_picture_once')],
            },
        ),
    ]
