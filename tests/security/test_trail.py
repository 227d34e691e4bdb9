"""What must be in the trail, what must not, and that nobody takes it away again (security checks E1 and E2)."""

from __future__ import annotations

import pytest
from django.core import mail, serializers
from django.test import Client
from django.urls import reverse

from tests.admin_pages import USERS, act, save, user_page
from tests.roads import (
    NEW_PASSWORD,
    PASSWORD,
    RESET,
    World,
    a_picture,
    adding,
    an_import,
    changing_ones_password,
    registering,
    the_form_of_a_person,
)
from tests.signing_in import link_in, set_password_by
from users_profiles import invitations, recorder, trail
from users_profiles.models import Profile, TrailEntry, User
from users_profiles.models.profile import PROFILE_FIELDS

ALICE = "Alice Admin"


# Who looks (E1)


def test_who_is_shown_private_fields_is_noted_once_in_a_while(world: World, reader: User) -> None:
    TrailEntry.objects.forget()
    client = world.browse(world.editor)
    for page in (user_page(world.ada), user_page(world.ada)):
        client.get(page)
    world.browse(reader).get(user_page(world.ada))
    world.browse(world.editor).get(user_page(world.editor))
    [entry] = TrailEntry.objects.all()
    assert (entry.action, entry.actor_id, entry.object_id) == (TrailEntry.Action.ACCESS, world.editor.pk, world.ada.pk)


def test_who_looks_through_the_private_columns_is_noted_without_a_person(world: World, reader: User) -> None:
    TrailEntry.objects.forget()
    page = f"{USERS}?columns=phone_number"
    for who in (world.editor, world.editor, reader):
        world.browse(who).get(page)
    [entry] = TrailEntry.objects.all()
    assert (entry.object_id, entry.object_repr, entry.actor_id) == (None, "List of people", world.editor.pk)


# What must never be in it, or must never be missing


@pytest.mark.usefixtures("at_once")
def test_e2_no_secret_is_in_the_trail_after_a_whole_journey(world: World) -> None:
    secrets = {PASSWORD, NEW_PASSWORD, RESET, world.ada.password}
    adding(world)
    invitations.invite([User.objects.get(username="bob")])
    invitation = link_in(mail.outbox[-1])
    set_password_by(invitation, Client(), NEW_PASSWORD)
    changing_ones_password(world)
    mail.outbox.clear()
    Client().post(reverse("account_reset_password"), {"email": world.ada.email})
    link = link_in(mail.outbox[0])
    set_password_by(link, Client(), RESET)
    the_form_of_a_person(world)
    a_picture(world)
    registering(world)
    an_import(world)
    secrets |= set(User.objects.values_list("password", flat=True)) | {invitation, link}
    secrets |= {part for path in (invitation, link) for part in path.strip("/").split("/") if len(part) > 20}
    secrets |= set(Profile.objects.exclude(avatar="").values_list("avatar", flat=True))
    everything = serializers.serialize("json", TrailEntry.objects.all())
    assert len(everything) > 2_000
    assert [secret for secret in secrets if secret in everything] == []
    assert "password" in everything


def test_every_field_of_a_person_is_tracked_or_said_not_to_be() -> None:
    fields = {field.name for field in (*User._meta.concrete_fields, *User._meta.many_to_many)}
    fields |= {
        field.name if field.name in PROFILE_FIELDS else f"profile.{field.name}"
        for field in (*Profile._meta.concrete_fields, *Profile._meta.many_to_many)
    }
    tracked = {*recorder.PERSON_FIELDS, *PROFILE_FIELDS, *recorder.OTHER_FIELDS} - {"role"}
    assert fields == tracked | set(recorder.NOT_TRACKED)
    assert not tracked & set(recorder.NOT_TRACKED)


# Nobody changes it


def test_an_entry_can_neither_be_changed_nor_deleted(world: World) -> None:
    the_form_of_a_person(world)
    entry = TrailEntry.objects.latest("pk")
    for forbidden in (
        entry.save,
        entry.delete,
        TrailEntry.objects.all().delete,
        lambda: TrailEntry.objects.update(actor_name="nobody"),
        lambda: TrailEntry.objects.bulk_update([entry], ["actor_name"]),
    ):
        with pytest.raises(TypeError, match="only ever added to"):
            forbidden()
    assert TrailEntry.objects.latest("pk").actor_name == ALICE


def test_who_acted_can_be_deleted_and_the_trail_still_says_who_it_was(world: World) -> None:
    save(world.browse(world.editor), user_page(world.ada), first_name="Augusta")
    key = world.editor.pk
    act(world.staff, "delete_selected", [world.editor], confirmed="1")
    assert not User.objects.filter(pk=key).exists()
    entry = trail.of(world.ada, world.admin).entries[0]
    assert (entry.who, TrailEntry.objects.filter(actor_id=key).exists()) == ("Edgar Editor", True)
