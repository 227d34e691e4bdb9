"""Groups: what each role may do, for superusers to tune and for nobody to break."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission
from django.urls import reverse

from tests.admin_pages import filled_in, save
from users_profiles import roles
from users_profiles.models import Role

FORM = "group_form"
LIST = reverse("admin:auth_group_changelist")


def group_page(group):
    return reverse("admin:auth_group_change", args=[group.pk])


@pytest.fixture
def readers(db):
    return Group.objects.get(name="Reader")


def test_superusers_tune_what_a_role_may_do(browse, superuser, reader, readers):
    private = Permission.objects.get(codename="view_private_fields")
    kept = list(readers.permissions.values_list("pk", flat=True))
    assert save(browse(superuser), group_page(readers), FORM, permissions=[*kept, private.pk]).status_code == 302
    assert roles.may(type(reader).objects.get(pk=reader.pk), roles.Action.VIEW_PRIVATE)


@pytest.mark.parametrize("role", Role.values)
def test_the_group_of_a_role_is_neither_renamed_nor_deleted(browse, superuser, role):
    client, group = browse(superuser), Group.objects.get(name=role)
    assert "name" not in filled_in(client, group_page(group), FORM)
    save(client, group_page(group), FORM, name="Something else")
    delete = reverse("admin:auth_group_delete", args=[group.pk])
    assert client.post(delete, {"post": "yes"}).status_code == 403
    client.post(LIST, {"action": "delete_selected", "_selected_action": [group.pk], "post": "yes"})
    assert Group.objects.filter(pk=group.pk, name=role).exists()


def test_other_groups_come_and_go(browse, superuser):
    client = browse(superuser)
    save(client, reverse("admin:auth_group_add"), FORM, name="Night shift")
    group = Group.objects.get(name="Night shift")
    save(client, group_page(group), FORM, name="Day shift")
    assert Group.objects.filter(name="Day shift").exists()
    client.post(reverse("admin:auth_group_delete", args=[group.pk]), {"post": "yes"})
    assert not Group.objects.filter(name="Day shift").exists()
