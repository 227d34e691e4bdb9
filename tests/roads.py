"""The roads by which a person changes, each as a function that goes down it once."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.core import mail, serializers
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.admin_pages import act, save, user_page
from tests.archives import RED, zipped
from tests.data import images
from tests.importing import apply
from tests.people import PASSWORD, Browse
from tests.signing_in import NEW_PASSWORD, change_email, link_in, register, set_password_by
from users_profiles import roles
from users_profiles.models import Import, Profile, Role, TrailEntry, User
from users_profiles.transfer import tasks

RESET = "reset-by-a-mailed-link"


@dataclass
class World:
    """The people of a road, and how they act."""

    browse: Browse
    superuser: User
    admin: User
    editor: User
    ada: User
    tmp_path: Path

    @property
    def staff(self) -> Client:
        return self.browse(self.admin)


# Roads: each does one thing ---------------------------------------------------------------------------------------


def the_form_of_a_person(world: World) -> None:
    save(
        world.staff, user_page(world.ada), **{"first_name": "Augusta", "profile-0-location": "Paris", "role": "Reader"}
    )


def the_form_with_nothing_changed(world: World) -> None:
    save(world.staff, user_page(world.ada))


def private_fields(world: World) -> None:
    save(world.staff, user_page(world.ada), **{"profile-0-birth_date": "1991-01-02", "profile-0-phone_number": ""})


def a_picture(world: World) -> None:
    picture = images.upload(images.picture())
    save(world.staff, user_page(world.ada), **{"profile-0-avatar": picture})


def adding(world: World) -> None:
    values = {"username": "bob", "email": "bob@example.com", "role": "Editor", "first_name": "Bob"}
    save(world.staff, reverse("admin:users_profiles_user_add"), **values, send_invitation=None)


def deleting(world: World) -> None:
    world.staff.post(reverse("admin:users_profiles_user_delete", args=[world.ada.pk]), {"post": "yes"})


def raw_access(world: World) -> None:
    Group.objects.create(name="Fire wardens")
    key = Group.objects.get(name="Fire wardens").pk
    TrailEntry.objects.forget()
    save(world.browse(world.superuser), user_page(world.ada), is_superuser="on", groups=[key])


def a_password_link(world: World) -> None:
    world.staff.post(reverse("admin:users_profiles_user_send_link", args=[world.ada.pk]))


def action(name: str, **more: Any) -> Callable[[World], None]:
    def road(world: World) -> None:
        act(world.staff, name, [world.ada, world.editor, world.superuser], confirmed="1", **more)

    road.__name__ = name
    return road


def ones_own_profile(world: World) -> None:
    url = reverse("profile_edit")
    values = {"first_name": "Augusta", "last_name": "Lovelace", "location": "Paris", "bio": "Counts."}
    world.browse(world.ada).post(url, {**values, "birth_date": "1990-12-10", "phone_number": "+442079460000"})


def changing_ones_email(world: World) -> None:
    client = world.browse(world.ada)
    change_email(client, "new@example.com")
    client.post(link_in(mail.outbox[0]))


def changing_ones_password(world: World) -> None:
    values = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    world.browse(world.ada).post(reverse("account_change_password"), values)


def a_mailed_link(world: World) -> None:
    Client().post(reverse("account_reset_password"), {"email": world.ada.email})
    set_password_by(link_in(mail.outbox[0]), Client(), NEW_PASSWORD)


def registering(world: World) -> None:
    register(Client())


def signing_in(world: World) -> None:
    Client().post(reverse("account_login"), {"login": "ada", "password": PASSWORD})


def an_import(world: World) -> None:
    apply("username,first_name,birth_date,active\nada,Augusta,1991-01-02,no\nbob,Bob,,\n", world.admin)


def a_roster(world: World) -> None:
    apply("username\nedgar\nalice\n", world.admin, roster="everybody")


def an_undo(world: World) -> None:
    job = apply("username,first_name,last_name\nada,Augusta,King\nbob,Bob,\n", world.admin)
    User.objects.filter(pk=world.ada.pk).update(last_name="Byron")
    Import.objects.update(applied_at=timezone.now() - timedelta(days=1))
    job.refresh_from_db()
    assert job.start_undo(world.editor, write=True)
    tasks.run(job)


def pictures(world: World) -> None:
    path = world.tmp_path / "team.zip"
    path.write_bytes(zipped({"ada.png": RED}))
    call_command("import_pictures", str(path), stdout=io.StringIO())


def the_shell(world: World) -> None:
    roles.assign([world.ada], Role.EDITOR)
    world.ada.set_unusable_password()
    world.ada.save()


def a_permission_of_a_role(world: World) -> None:
    Group.objects.get(name="Reader").permissions.add(Permission.objects.get(codename="view_import"))


def a_fixture(world: World) -> None:
    """What was, is; it is no news."""
    text = serializers.serialize("json", [*User.objects.all(), *Profile.objects.all()])
    for each in serializers.deserialize("json", text):
        each.save()
