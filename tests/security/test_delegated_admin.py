"""What members of staff with some power must not be able to do with it (security checks A3 to A8)."""

from __future__ import annotations

from functools import partial

import pytest
from django.contrib import admin as django_admin
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.urls import reverse

from tests import addresses
from tests.admin_pages import PROFILES, USERS, act, filled_in, messages_of, profile_page, queries_of, save, user_page
from tests.threads import all_at_once
from users_profiles import roles
from users_profiles.models import Role, User
from users_profiles.superusers import LastSuperuserError, keep_one_superuser
from users_profiles.transfer.columns import NAMES

EVERYBODY = ("anonymous", "stranger", "reader", "editor", "admin")


# Every address of the admin -----------------------------------------------------------------------------------------

LOGIN, NO, OK = "login", 403, "ok"

# Who gets what on a GET: anonymous, stranger, reader, editor, admin. "ok" is anything but a refusal.
SAFE = {
    "index": (LOGIN, NO, OK, OK, OK),
    "app_list": (LOGIN, NO, OK, OK, OK),
    "jsi18n": (LOGIN, NO, OK, OK, OK),
    "autocomplete": (LOGIN, NO, NO, NO, NO),
    "view_on_site": (LOGIN, NO, OK, OK, OK),
    "password_change": (LOGIN, NO, OK, OK, OK),
    "users_profiles_user_changelist": (LOGIN, NO, OK, OK, OK),
    "users_profiles_user_change": (LOGIN, NO, OK, OK, OK),
    "users_profiles_user_history": (LOGIN, NO, OK, OK, OK),
    "users_profiles_user_add": (LOGIN, NO, NO, OK, OK),
    "users_profiles_user_delete": (LOGIN, NO, NO, NO, OK),
    "users_profiles_user_erase": (LOGIN, NO, NO, NO, OK),
    "users_profiles_user_find": (LOGIN, NO, OK, OK, OK),
    "users_profiles_user_export": (LOGIN, NO, OK, OK, OK),
    "users_profiles_user_import": (LOGIN, NO, NO, OK, OK),
    "users_profiles_user_import_help": (LOGIN, NO, NO, OK, OK),
    "users_profiles_user_import_sample": (LOGIN, NO, NO, OK, OK),
    "users_profiles_pictures": (LOGIN, NO, NO, OK, OK),
    "users_profiles_profile_changelist": (LOGIN, NO, OK, OK, OK),
    "users_profiles_profile_change": (LOGIN, NO, OK, OK, OK),
    "users_profiles_profile_history": (LOGIN, NO, OK, OK, OK),
    "users_profiles_profile_add": (LOGIN, NO, NO, NO, NO),
    "users_profiles_profile_delete": (LOGIN, NO, NO, NO, NO),
    "users_profiles_trailentry_changelist": (LOGIN, NO, NO, NO, OK),
    "users_profiles_export_changelist": (LOGIN, NO, OK, OK, OK),
    "users_profiles_export_add": (LOGIN, NO, NO, NO, NO),
    "users_profiles_report_changelist": (LOGIN, NO, OK, OK, OK),
    "users_profiles_report_add": (LOGIN, NO, OK, OK, OK),
    "users_profiles_report_staff": (LOGIN, NO, OK, OK, OK),
    "users_profiles_directory": (LOGIN, NO, OK, OK, OK),
    "users_profiles_import_changelist": (LOGIN, NO, NO, OK, OK),
    "users_profiles_import_add": (LOGIN, NO, NO, NO, NO),
    "auth_group_changelist": (LOGIN, NO, NO, NO, NO),
    "auth_group_add": (LOGIN, NO, NO, NO, NO),
    "auth_group_change": (LOGIN, NO, NO, NO, NO),
    "auth_group_delete": (LOGIN, NO, NO, NO, NO),
    "auth_group_history": (LOGIN, NO, NO, NO, NO),
}
# Addresses that answer to POST alone, or whose object belongs to an import; tested where they are made.
# The pages of one import: test_admin_transfer, test_admin_imports and test_admin_pictures ask them all; those of one
# export: test_admin_exports; those of one report: test_admin_reports.
OF_ONE_IMPORT = (
    "users_profiles_import_",
    "users_profiles_pictures_",
    "users_profiles_export_",
    "users_profiles_report_",
)
ELSEWHERE = {
    "login",
    "logout",
    "password_change_done",
    "users_profiles_user_columns",
    "users_profiles_user_held",
    "users_profiles_user_send_link",
    "users_profiles_user_process_import",
    "users_profiles_user_undo",
    "users_profiles_user_view",
    "users_profiles_user_view_name",
    "users_profiles_user_views",
}


def test_no_address_of_the_admin_is_missing_from_the_table():
    there, listed = (
        {name for name in names if not name.startswith(OF_ONE_IMPORT)}
        for names in (addresses.names_in_the_admin(), SAFE)
    )
    assert there == listed | ELSEWHERE


@pytest.fixture
def cast(request, superuser):
    """The five who try, and a member it is tried on."""
    people = {name: request.getfixturevalue(name) for name in EVERYBODY if name != "anonymous"}
    return {"anonymous": None, **people}


def address(name, target):
    if name.startswith("auth_group") and name.rpartition("_")[2] in {"change", "delete", "history"}:
        return reverse(f"admin:{name}", args=[Group.objects.get(name="Admin").pk])
    if name == "app_list":
        return reverse("admin:app_list", args=["users_profiles"])
    if name == "users_profiles_user_import_sample":
        return reverse(f"admin:{name}", args=["csv"])
    if name == "view_on_site":
        return reverse("admin:view_on_site", args=[0, 0])
    if name.rpartition("_")[2] in {"change", "delete", "erase", "history"} and name != "password_change":
        return reverse(f"admin:{name}", args=[target.pk])
    return reverse(f"admin:{name}")


@pytest.mark.parametrize("name", SAFE)
def test_an_address_answers_only_to_who_may(browse, cast, make_person, name):
    target = make_person("ada")
    got = []
    for who in EVERYBODY:
        response = browse(cast[who]).get(address(name, target))
        if response.status_code == 302 and "/login/" in response["Location"]:
            got.append(LOGIN)
        else:
            got.append(NO if response.status_code == 403 else OK)
    assert tuple(got) == SAFE[name]


@pytest.mark.parametrize("name", [name for name, answers in SAFE.items() if NO in answers[2:]])
def test_a_refused_address_refuses_posts_too(browse, cast, make_person, name):
    target = make_person("ada")
    before = User.objects.count(), Group.objects.count()
    for who, expected in zip(EVERYBODY, SAFE[name], strict=True):
        if expected == NO:
            url = address(name, target)
            assert browse(cast[who]).post(url, {"post": "yes", "username": "x"}).status_code in {403, 405}, who
    assert (User.objects.count(), Group.objects.count()) == before


def test_a_signed_in_stranger_gets_a_page_and_not_a_loop_of_redirects(browse, stranger):
    assert browse(stranger).get(reverse("admin:login")).status_code == 403


def test_the_admins_own_sign_in_leads_to_the_one_everybody_uses(browse, reader):
    response = browse(None).get(USERS, follow=True)
    assert response.redirect_chain[-1][0].startswith(reverse("account_login"))
    assert browse(reader).get(reverse("admin:login"))["Location"] == reverse("admin:index")


def test_passwords_and_sign_out_are_everybodys_own_pages(browse, reader):
    client = browse(reader)
    assert client.get(reverse("admin:password_change"))["Location"] == reverse("account_change_password")
    assert client.post(reverse("admin:logout"))["Location"] == reverse("account_login")
    assert client.get(USERS).status_code == 302


def test_libraries_bring_no_pages_of_their_own_into_the_admin():
    assert {model._meta.label for model in django_admin.site._registry} == {
        "users_profiles.User",
        "users_profiles.Profile",
        "users_profiles.Import",
        "users_profiles.Export",
        "users_profiles.Report",
        "users_profiles.TrailEntry",
        "auth.Group",
    }


def test_the_sidebar_has_people_and_profiles_and_groups_for_superusers_only(browse, superuser, admin):
    def entries(person):
        apps = browse(person).get(reverse("admin:index")).context["available_apps"]
        return {model["object_name"] for app in apps for model in app["models"]}

    assert entries(superuser) - {"Import", "Export", "Report"} == {"User", "TrailEntry", "Group"}
    assert entries(admin) - {"Import", "Export", "Report"} == {"User", "TrailEntry"}


def test_staff_without_any_permission_see_nothing(browse, make_person):
    person = make_person("clerk", is_staff=True, location="Berlin")
    client = browse(person)
    for page in (USERS, PROFILES, user_page(person), profile_page(person)):
        assert client.get(page).status_code == 403
    assert "figures" not in client.get(reverse("admin:index")).context["dashboard"]


# A3: what is not in the form is not taken ---------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["editor", "admin"])
def test_a3_nobody_gives_themselves_power_by_a_forged_field(browse, cast, who):
    person = cast[who]
    everything = [permission.pk for permission in Permission.objects.all()]
    forged = {
        "is_superuser": "on",
        "is_staff": "on",
        "user_permissions": everything,
        "groups": [Group.objects.get(name="Admin").pk],
        "role": "Admin",
        "password": "plaintext",
    }
    before = person.role, person.password
    save(browse(person), user_page(person), **forged)
    person = User.objects.get(pk=person.pk)
    assert (person.role, person.password) == before
    assert not person.is_superuser
    assert person.user_permissions.count() == 0


def test_a3_an_admin_does_not_make_somebody_a_superuser(browse, admin, stranger):
    save(browse(admin), user_page(stranger), is_superuser="on", user_permissions=["1"])
    stranger.refresh_from_db()
    assert not stranger.is_superuser
    assert stranger.user_permissions.count() == 0


# A4: who is above ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("who", "above"), [("editor", "admin"), ("editor", "superuser"), ("admin", "superuser")])
def test_a4_nobody_edits_somebody_above(request, browse, cast, who, above):
    target = request.getfixturevalue(above)
    client = browse(cast[who])
    assert client.get(user_page(target)).status_code == 200
    forged = {"username": target.username, "email": "mine@example.com", "password": "x", "is_active": ""}
    assert client.post(user_page(target), forged).status_code == 403
    assert (
        client.post(reverse("admin:users_profiles_user_delete", args=[target.pk]), {"post": "yes"}).status_code == 403
    )
    assert client.post(reverse("admin:users_profiles_user_send_link", args=[target.pk])).status_code == 403
    now = User.objects.get(pk=target.pk)
    assert (now.email, now.password, now.is_active) == (target.email, target.password, True)


def test_a4_there_is_no_page_on_which_staff_set_a_password(browse, superuser, stranger):
    client = browse(superuser)
    assert client.get(f"{user_page(stranger)}../password/").status_code in {302, 404}
    assert not any("password" in name for name in filled_in(client, user_page(stranger)))


# A5: several at once ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["delete_selected", "deactivate", "set_role"])
def test_a5_an_action_on_a_selection_with_a_superuser_leaves_the_superuser_alone(
    browse, admin, superuser, stranger, action
):
    response = act(browse(admin), action, [superuser, stranger], confirmed="1", role="Reader")
    root = User.objects.get(pk=superuser.pk)
    assert (root.is_active, root.role) == (True, "")
    assert "Left alone: root: above you" in messages_of(response)


# A6: roles above one's own ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["Owner", "superuser", "0"])
def test_a6_a_forged_role_is_an_error(browse, admin, stranger, role):
    response = save(browse(admin), user_page(stranger), role=role)
    assert "role" in response.context["adminform"].form.errors
    assert User.objects.get(pk=stranger.pk).role == roles.MEMBER


def test_a6_a_role_above_ones_own_is_not_offered_and_not_taken(browse, editor, stranger):
    editor.groups.get().permissions.add(Permission.objects.get(codename="grant_role"))
    response = save(browse(editor), user_page(stranger), role="Admin")
    assert "role" in response.context["adminform"].form.errors
    assert User.objects.get(pk=stranger.pk).role == roles.MEMBER


def test_a6_a_forged_group_is_an_error_even_for_superusers(browse, superuser, stranger):
    Group.objects.create(name="Night shift")
    response = save(browse(superuser), user_page(stranger), groups=[Group.objects.get(name="Admin").pk])
    assert "groups" in response.context["adminform"].form.errors


# A7: the last superuser ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["delete_selected", "deactivate", "set_role"])
def test_a7_the_last_superuser_cannot_be_lost_by_their_own_hand(browse, superuser, action):
    response = act(browse(superuser), action, [superuser], confirmed="1", role="")
    assert User.objects.filter(pk=superuser.pk, is_active=True, is_superuser=True).exists()
    assert messages_of(response) == ["Left alone: root: you cannot do this to yourself"]
    assert (
        browse(superuser)
        .post(reverse("admin:users_profiles_user_delete", args=[superuser.pk]), {"post": "yes"})
        .status_code
        == 403
    )
    save(browse(superuser), user_page(superuser), is_superuser=None, is_active=None)
    assert User.objects.filter(pk=superuser.pk, is_active=True, is_superuser=True).exists()


@pytest.fixture
def overtaken(monkeypatch, superuser):
    """A second superuser whose own account goes away while their request is under way."""
    second = User.objects.create_superuser("second", "second@example.com")

    def leave(*args):
        User.objects.filter(pk=second.pk).update(is_active=False)

    return second, leave


@pytest.mark.parametrize("action", ["delete_selected", "deactivate"])
def test_a7_an_action_that_would_lose_the_last_superuser_is_taken_back(
    browse, superuser, overtaken, monkeypatch, action
):
    from users_profiles.admin import actions

    second, leave = overtaken
    kind = {"delete_selected": actions.Delete, "deactivate": actions.Deactivate}[action]
    perform = kind.perform
    monkeypatch.setattr(kind, "perform", lambda self, people: (leave(), perform(self, people))[1])
    response = browse(second).post(USERS, {"action": action, "_selected_action": [superuser.pk], "confirmed": "1"})
    assert response.status_code == 302
    assert User.objects.filter(pk=superuser.pk, is_active=True, is_superuser=True).exists()
    assert User.objects.get(pk=second.pk).is_active  # all of it was taken back


@pytest.mark.parametrize("changes", [{"is_active": None}, {"is_superuser": None}])
def test_a7_a_page_that_would_lose_the_last_superuser_is_taken_back(browse, superuser, overtaken, monkeypatch, changes):
    second, leave = overtaken
    client = browse(second)
    opened = {**filled_in(client, user_page(superuser)), **changes}
    monkeypatch.setattr(User, "save", lambda self, **kwargs: (leave(), super(User, self).save(**kwargs)))
    response = client.post(user_page(superuser), {name: value for name, value in opened.items() if value is not None})
    assert response["Location"] == user_page(superuser)
    assert User.objects.filter(pk=superuser.pk, is_active=True, is_superuser=True).exists()


def test_a7_deleting_the_last_superuser_is_taken_back(browse, superuser, overtaken, monkeypatch):
    second, leave = overtaken
    delete = User.delete
    monkeypatch.setattr(User, "delete", lambda self: (leave(), delete(self))[1])
    browse(second).post(reverse("admin:users_profiles_user_delete", args=[superuser.pk]), {"post": "yes"})
    assert User.objects.filter(pk=superuser.pk, is_active=True).exists()


@pytest.mark.django_db(transaction=True)
def test_a7_two_superusers_who_deactivate_each_other_at_once_do_not_lock_everybody_out(superuser):
    second = User.objects.create_superuser("second", "second@example.com")
    refused = []

    def deactivate(pk):
        try:
            with keep_one_superuser():
                User.objects.filter(pk=pk).update(is_active=False)
        except LastSuperuserError:
            refused.append(pk)

    all_at_once(*(partial(deactivate, person.pk) for person in (superuser, second)))
    assert len(refused) == 1
    assert User.objects.filter(is_superuser=True, is_active=True).count() == 1


# A8: what leaves ----------------------------------------------------------------------------------------------------


def test_a8_no_column_of_an_export_is_a_password():
    assert not [name for name in NAMES if "password" in name or "permission" in name or "superuser" in name]


def test_a8_an_export_that_asks_for_the_hash_does_not_get_it(browse, superuser, stranger):
    response = browse(superuser).post(
        reverse("admin:users_profiles_user_export"), {"format": "csv", "columns": ["username", "password"]}
    )
    body = b"".join(response.streaming_content) if response.streaming else response.content
    assert stranger.password.encode() not in body


def test_a8_no_page_shows_a_hash(browse, superuser, stranger):
    client = browse(superuser)
    history = reverse("admin:users_profiles_user_history", args=[stranger.pk])
    for page in (USERS, user_page(stranger), history):
        assert stranger.password not in client.get(page).content.decode()


# Queries ------------------------------------------------------------------------------------------------------------


def test_a_list_with_filters_and_search_does_not_query_per_row(browse, admin, make_person):
    client = browse(admin)
    url = f"{USERS}?q=p&active=yes&role=Editor&complete=no"
    for number in range(4):
        make_person(f"p{number}", role=Role.EDITOR, location="Berlin")
    before = queries_of(client, url)
    for number in range(4, 12):
        make_person(f"p{number}", role=Role.EDITOR, location="Berlin")
    assert queries_of(client, url) == before


def test_the_page_of_a_person_with_a_long_history_costs_the_same(browse, admin, stranger):
    client = browse(admin)
    for number in range(2):
        save(client, user_page(stranger), first_name=f"S{number}")
    before = queries_of(client, user_page(stranger))
    for number in range(4):
        save(client, user_page(stranger), first_name=f"T{number}")
    assert queries_of(client, user_page(stranger)) == before


def test_the_locks_are_taken_where_the_database_has_them(superuser, django_assert_max_num_queries):
    with django_assert_max_num_queries(6) as queries, keep_one_superuser():
        pass
    locking = [query["sql"] for query in queries.captured_queries if "FOR UPDATE" in query["sql"]]
    assert len(locking) == (1 if connection.features.has_select_for_update else 0)
