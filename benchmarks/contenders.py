"""One contender, in a process of its own: ``python -m benchmarks.contenders NAME FILE``. Prints one JSON object."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
django.setup()

from django.core.files.base import File
from django.db import connection, transaction
from django.utils import timezone

from benchmarks import timing
from users_profiles.models import Import, User


def ours_preview(path: Path) -> int:
    """Check a file: clean, match, diff, and keep a record of each row."""
    from users_profiles.transfer import importer

    job = _received(path)
    job.start_check()
    importer.run(job)
    return _finished(job, Import.State.CHECKED)


def ours_apply(path: Path) -> int:
    """Check is not part of the time: the file is taken as checked, then applied."""
    from users_profiles.transfer import importer

    job = _received(path)
    Import.objects.filter(pk=job.pk).update(state=Import.State.CHECKED)
    job.refresh_from_db()
    job.start_apply()
    importer.run(job)
    return _finished(job, Import.State.DONE)


def _received(path: Path) -> Import:
    from users_profiles.transfer import intake

    with path.open("rb") as file:
        return intake.receive(File(file), path.name, None)


def _finished(job: Import, state: str) -> int:
    job.refresh_from_db()
    if job.state != state or job.refused:
        raise SystemExit(f"not what was asked for: {job.state} {job.failure}, {job.refused} refused")
    return job.cursor


def stock(path: Path) -> int:
    """django-import-export as it comes, on the user, with the usual receiver, which saves the profile at every save.

    Its admin keeps a record of each row, as ours does of each change: that is part of the time.
    """
    import tablib
    from django.contrib.admin import AdminSite, ModelAdmin
    from import_export import resources
    from import_export.admin import ImportMixin

    _be_a_plain_project()
    operator, _ = User.objects.get_or_create(username="operator")

    class StockAdmin(ImportMixin, ModelAdmin):  # type: ignore[misc, type-arg]
        pass

    class StockResource(resources.ModelResource):
        class Meta:
            model = User
            import_id_fields = ("username",)
            fields = ("username", "email", "first_name", "last_name")

    with path.open(encoding="utf-8") as file:
        dataset = tablib.Dataset().load(file.read(), format="csv")
    result = StockResource().import_data(dataset, raise_errors=True, retain_instance_in_row_result=True)
    StockAdmin(User, AdminSite()).generate_log_entries(result, SimpleNamespace(user=operator))
    return int(result.total_rows)


def _be_a_plain_project() -> None:
    """Take away what our models do beyond the usual, so that the library is not measured with it on its back."""
    from django.contrib.auth.models import AbstractUser
    from django.db.models import Model
    from django.db.models.signals import post_save, pre_save

    from users_profiles.models import Profile

    for signal in (pre_save, post_save):
        signal.receivers.clear()
        signal.sender_receivers_cache.clear()
    User.save, Profile.save = AbstractUser.save, Model.save  # type: ignore[method-assign]
    with connection.cursor() as cursor:  # a plain username has this index
        cursor.execute("CREATE UNIQUE INDEX IF NOT EXISTS plain_username ON users_profiles_user (username)")

    def usual_receiver(instance: User, created: bool, **kwargs: Any) -> None:
        if created:
            Profile.objects.create(user=instance)
        else:
            instance.profile.save()

    post_save.connect(usual_receiver, sender=User, weak=False)


def raw(path: Path) -> int:
    """The limit: upserts of both tables in the database's own fastest way, nothing looked at."""
    with path.open(encoding="utf-8", newline="") as file, transaction.atomic(), connection.cursor() as cursor:
        rows = csv.reader(file)
        next(rows)
        return (_raw_postgres if connection.vendor == "postgresql" else _raw_sqlite)(cursor, rows)


_USER = "username, email, first_name, last_name, is_active, password, is_superuser, is_staff, date_joined"
_USER_SET = ", ".join(f"{name} = excluded.{name}" for name in ("email", "first_name", "last_name", "is_active"))
_PROFILE = "phone_number, location, birth_date, bio"
_PROFILE_SET = ", ".join(f"{name} = excluded.{name}" for name in _PROFILE.split(", "))


def _raw_sqlite(cursor: Any, rows: Iterator[list[str]]) -> int:
    now, count = timezone.now().replace(tzinfo=None).isoformat(" "), 0
    while chunk := [row for _, row in zip(range(10_000), rows, strict=False)]:
        count += len(chunk)
        cursor.executemany(
            f"INSERT INTO users_profiles_user ({_USER}) VALUES (%s, %s, %s, %s, %s, '!', 0, 0, %s) "
            f"ON CONFLICT (lower(username)) DO UPDATE SET {_USER_SET}",
            [(*row[:4], row[4] == "yes", now) for row in chunk],
        )
        cursor.executemany(
            f"INSERT INTO users_profiles_profile (user_id, {_PROFILE}, avatar, version, updated_at) "
            "SELECT id, %s, %s, %s, %s, '', 1, %s FROM users_profiles_user WHERE lower(username) = lower(%s) "
            f"ON CONFLICT (user_id) DO UPDATE SET {_PROFILE_SET}",
            [(*row[6:10], now, row[0]) for row in chunk],
        )
    return count


def _raw_postgres(cursor: Any, rows: Iterator[list[str]]) -> int:
    cursor.execute(
        "CREATE TEMPORARY TABLE incoming (username text, email text, first_name text, last_name text,"
        " is_active text, role text, phone_number text, location text, birth_date date, bio text) ON COMMIT DROP"
    )
    count = 0
    with cursor.copy("COPY incoming FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    cursor.execute(
        f"INSERT INTO users_profiles_user ({_USER}) SELECT username, email, first_name, last_name,"
        f" is_active = 'yes', '!', false, false, now() FROM incoming"
        f" ON CONFLICT (lower(username)) DO UPDATE SET {_USER_SET}"
    )
    cursor.execute(
        f"INSERT INTO users_profiles_profile (user_id, {_PROFILE}, avatar, version, updated_at)"
        f" SELECT id, {_PROFILE}, '', 1, now() FROM incoming JOIN users_profiles_user USING (username)"
        f" ON CONFLICT (user_id) DO UPDATE SET {_PROFILE_SET}"
    )
    return count


CONTENDERS: dict[str, Callable[[Path], int]] = {
    "preview": ours_preview,
    "apply": ours_apply,
    "stock": stock,
    "raw": raw,
}


def main(name: str, path: str) -> None:
    timing.show(lambda: CONTENDERS[name](Path(path)))


if __name__ == "__main__":
    main(*sys.argv[1:])
