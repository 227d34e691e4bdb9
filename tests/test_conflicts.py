"""Two people, one record: the second to save is told, sees both values, loses nothing typed, and chooses (check F1)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from tests.admin_pages import USERS, act, filled_in, filled_in_from, messages_of, save, user_page
from tests.data import images
from tests.importing import apply
from tests.people import Browse
from tests.threads import all_at_once
from users_profiles import roles
from users_profiles.models import Profile, Role, User

EDIT = reverse("profile_edit")


def fresh(person: User) -> User:
    return User.objects.with_profile().get(pk=person.pk)


class Page:
    """A page that somebody has open: where it is, what is in its form, and who looks at it."""

    def __init__(self, client: Client, url: str, form_id: str = "user_form") -> None:
        self.client, self.url, self.form_id = client, url, form_id
        self.values = filled_in(client, url, form_id) if form_id else _self_service(client.get(url))

    def send(self, **typed: Any) -> Any:
        """Press Save; where the page comes back, it is the one that is open from then on."""
        values = {name: value for name, value in {**self.values, **typed}.items() if value is not None}
        response = self.client.post(self.url, values)
        if response.status_code == 200:
            html = response.content.decode()
            self.values = filled_in_from(html, self.form_id) if self.form_id else _self_service(response)
        return response


def _self_service(response: Any) -> dict[str, Any]:
    """The one form of a page outside the admin, which has no id."""
    html = response.content.decode()
    start = html.index('<form method="post" enctype')
    return filled_in_from(html[start:].replace("<form ", '<form id="it" ', 1), "it")


def person_page(client: Client, ada: User) -> Page:
    return Page(client, user_page(ada))


@pytest.fixture
def crossed(browse: Browse, superuser: User, admin: User, ada: User) -> Page:
    """The page of Ada that a superuser has open, while an admin has changed her last name to King."""
    page = person_page(browse(superuser), ada)
    save(browse(admin), user_page(ada), last_name="King")
    return page


# Both changed the same field


@pytest.mark.parametrize(
    ("field", "theirs", "mine"),
    [
        ("last_name", "King", "Byron"),
        ("email", "king@example.com", "byron@example.com"),
        ("profile-0-location", "Paris", "Rome"),
        ("profile-0-birth_date", "1991-01-02", "1992-03-04"),
        ("role", "Reader", "Editor"),
    ],
)
@pytest.mark.parametrize("choice", ["mine", "theirs"])
def test_f1_the_second_to_save_sees_both_values_and_chooses(
    browse: Browse, superuser: User, admin: User, ada: User, field: str, theirs: str, mine: str, choice: str
) -> None:
    page = person_page(browse(superuser), ada)
    save(browse(admin), user_page(ada), **{field: theirs})

    response = page.send(**{field: mine})
    html = response.content.decode()
    assert "Alice Admin changed this while you were editing" in html
    assert "Choose which of the two to keep." in html
    assert page.values[field] == mine
    assert (f"{field}-choice") not in page.values

    assert page.send(**{f"{field}-choice": choice}).status_code == 302
    now = fresh(ada)
    name = field.removeprefix("profile-0-")
    value = getattr(now.profile if field.startswith("profile-0-") else now, name)
    assert str(value) == (mine if choice == "mine" else theirs)


def test_f1_both_values_and_the_one_before_are_shown_as_people_read_them(
    browse: Browse, superuser: User, admin: User, ada: User
) -> None:
    page = person_page(browse(superuser), ada)
    save(browse(admin), user_page(ada), **{"profile-0-birth_date": "1991-01-02", "role": "Reader"})
    html = page.send(**{"profile-0-birth_date": "1992-03-04", "role": "Editor"}).content.decode()
    for text in ("2 Jan 1991", "4 Mar 1992", "Before both of you: 10 Dec 1990", "Before both of you: Member"):
        assert text in html


def test_f1_nothing_else_that_was_typed_is_lost_while_one_chooses(crossed: Page, ada: User) -> None:
    crossed.send(last_name="Byron", first_name="Augusta", **{"profile-0-bio": "Poet's daughter"})
    assert (crossed.values["first_name"], crossed.values["profile-0-bio"]) == ("Augusta", "Poet's daughter")
    assert fresh(ada).first_name == "Ada"
    crossed.send(**{"last_name-choice": "theirs"})
    now = fresh(ada)
    assert (now.first_name, now.last_name, now.profile.bio) == ("Augusta", "King", "Poet's daughter")


def test_f1_to_save_again_without_choosing_asks_again(crossed: Page, ada: User) -> None:
    for _time in range(2):
        assert "Choose which of the two to keep." in crossed.send(last_name="Byron").content.decode()
    assert fresh(ada).last_name == "King"


def test_f1_a_choice_between_values_of_which_one_is_gone_again_is_no_choice(
    crossed: Page, browse: Browse, admin: User, ada: User
) -> None:
    crossed.send(last_name="Byron")
    save(browse(admin), user_page(ada), last_name="Noel")
    assert "Noel" in crossed.send(**{"last_name-choice": "theirs"}).content.decode()
    assert crossed.send(**{"last_name-choice": "theirs"}).status_code == 302
    assert fresh(ada).last_name == "Noel"


def test_f1_a_choice_is_kept_while_something_else_is_mended(crossed: Page, ada: User) -> None:
    crossed.send(last_name="Byron")
    crossed.send(**{"last_name-choice": "theirs", "email": "nonsense"})
    assert crossed.values["last_name-choice"] == "theirs"
    assert crossed.send(email="ada@example.com").status_code == 302
    assert fresh(ada).last_name == "King"


def test_f1_what_one_typed_may_be_changed_again_before_one_chooses_it(crossed: Page, ada: User) -> None:
    crossed.send(last_name="Byron")
    crossed.send(last_name="Lovelace", **{"last_name-choice": "mine"})
    assert fresh(ada).last_name == "Lovelace"


def test_f1_who_cleared_a_field_is_named_too(browse: Browse, superuser: User, admin: User, ada: User) -> None:
    page = person_page(browse(superuser), ada)
    save(browse(admin), user_page(ada), **{"profile-0-location": ""})
    assert "(empty)" in page.send(**{"profile-0-location": "Rome"}).content.decode()


def test_f1_an_import_is_told_like_anybody(browse: Browse, superuser: User, admin: User, ada: User) -> None:
    page = person_page(browse(superuser), ada)
    apply("username,last_name\nada,King\n", admin)
    assert "Alice Admin changed this" in page.send(last_name="Byron").content.decode()


def test_f1_when_nobody_knows_who_it_was_it_is_said_all_the_same(browse: Browse, superuser: User, ada: User) -> None:
    page = person_page(browse(superuser), ada)
    User.objects.filter(pk=ada.pk).update(last_name="King")
    assert "Somebody changed this while you were editing." in page.send(last_name="Byron").content.decode()


def test_f1_the_same_change_made_twice_is_no_conflict(crossed: Page, ada: User) -> None:
    before = fresh(ada).version
    assert crossed.send(last_name="King").status_code == 302
    assert fresh(ada).last_name == "King"
    assert fresh(ada).version - before <= 1


def test_f1_forged_answers_are_no_server_error(browse: Browse, superuser: User, admin: User, ada: User) -> None:
    page = person_page(browse(superuser), ada)
    save(browse(admin), user_page(ada), **{"last_name": "King", "profile-0-birth_date": "1991-01-02"})
    forged = {"last_name-choice": "x", "last_name-seen": "\0", "initial-profile-0-birth_date": "soon"}
    response = page.send(last_name="Byron", **{"profile-0-birth_date": "1992-03-04", **forged})
    assert response.status_code == 200
    assert fresh(ada).last_name == "King"


# Only one of them changed a field


def test_f1_what_only_the_other_one_changed_stays_and_is_said(
    browse: Browse, superuser: User, admin: User, ada: User
) -> None:
    client = browse(superuser)
    page = person_page(client, ada)
    save(browse(admin), user_page(ada), **{"last_name": "King", "profile-0-location": ""})
    response = page.send(first_name="Augusta", **{"profile-0-bio": "Hello"})
    assert response.status_code == 302
    now = fresh(ada)
    assert (now.first_name, now.last_name) == ("Augusta", "King")
    assert (now.profile.bio, now.profile.location) == ("Hello", "")
    told = messages_of(client.get(USERS))
    assert "While you were editing, Alice Admin changed this, and it stays: Last name: King." in told
    assert "While you were editing, Alice Admin changed this, and it stays: Location: (empty)." in told


def test_f1_groups_that_two_add_at_once_are_both_kept(browse: Browse, superuser: User, ada: User) -> None:
    night, day, old = (Group.objects.create(name=name) for name in ("Night shift", "Day shift", "Old hands"))
    ada.groups.add(old)
    page = person_page(browse(superuser), ada)
    ada.groups.add(night)
    roles.assign([ada], Role.READER)
    page.send(groups=[day.pk], first_name="Augusta", role=None)
    assert set(ada.groups.values_list("name", flat=True)) == {"Night shift", "Day shift", "Reader"}


@pytest.mark.parametrize("shown", ["x", "²", "9" * 25, "9" * 5000])
def test_f1_a_forged_list_of_the_groups_that_were_shown_is_no_server_error(
    browse: Browse, superuser: User, ada: User, shown: str
) -> None:
    night = Group.objects.create(name="Night shift")
    page = person_page(browse(superuser), ada)
    page.send(groups=[night.pk], role=None, **{"initial-groups": [shown]})
    assert ada.groups.get() == night


def test_f1_a_group_given_to_somebody_without_any_survives_a_save(browse: Browse, superuser: User, ada: User) -> None:
    night = Group.objects.create(name="Night shift")
    page = person_page(browse(superuser), ada)
    ada.groups.add(night)
    page.send(first_name="Augusta")
    assert ada.groups.get() == night


def test_f1_a_picture_chosen_meanwhile_is_not_replaced_unseen(browse: Browse, superuser: User, ada: User) -> None:
    page = person_page(browse(superuser), ada)
    own = Page(browse(ada), EDIT, "")
    own.send(avatar=images.upload(images.picture()))
    theirs = fresh(ada).profile.avatar.name
    response = page.send(**{"profile-0-avatar": images.upload(images.picture())})
    html = response.content.decode()
    assert "Somebody changed the picture while you were editing." in html
    assert fresh(ada).profile.avatar.url in html  # theirs is to be seen, beside mine
    assert fresh(ada).profile.avatar.name == theirs
    assert page.send().status_code == 302  # mine was carried along
    assert fresh(ada).profile.avatar.name != theirs


def test_f1_whoever_sees_that_a_picture_was_chosen_meanwhile_can_keep_it(
    browse: Browse, superuser: User, ada: User
) -> None:
    page = person_page(browse(superuser), ada)
    Page(browse(ada), EDIT, "").send(avatar=images.upload(images.picture()))
    theirs = fresh(ada).profile.avatar.name
    page.send(**{"profile-0-avatar": images.upload(images.picture())})
    assert page.send(**{"profile-0-avatar-clear": "on"}, first_name="Augusta").status_code == 302
    assert (fresh(ada).profile.avatar.name, fresh(ada).first_name) == (theirs, "Augusta")


# In self-service


def test_f1_ones_own_profile_asks_and_tells_as_well(browse: Browse, admin: User, ada: User) -> None:
    client = browse(ada)
    page = Page(client, EDIT, "")
    save(browse(admin), user_page(ada), **{"last_name": "King", "profile-0-location": "Paris"})
    response = page.send(location="Rome", bio="Hello")
    assert "Alice Admin changed this while you were editing" in response.content.decode()
    assert page.send(**{"location-choice": "mine"}).status_code == 302
    now = fresh(ada)
    assert (now.last_name, now.profile.location, now.profile.bio) == ("King", "Rome", "Hello")
    assert messages_of(client.get(reverse("profile"))) == [
        "Your profile is saved.",
        "While you were editing, Alice Admin changed this, and it stays: Last name: King.",
    ]


def test_f1_a_changed_birth_date_of_ones_own_names_who_did_it(browse: Browse, admin: User, ada: User) -> None:
    page = Page(browse(ada), EDIT, "")
    save(browse(admin), user_page(ada), **{"profile-0-birth_date": "1991-01-02"})
    assert "Alice Admin changed this" in page.send(birth_date="1992-03-04").content.decode()


# Actions on the list


def asked(client: Client, action: str, people: list[User], **more: Any) -> dict[str, Any]:
    """What the page that asks sends when its button is pressed."""
    html = act(client, action, people, **more).content.decode()
    shown = html.split('name="shown" value="')[1].split('"')[0]
    return {"confirmed": "1", "shown": shown, **more}


@pytest.mark.parametrize("action", ["deactivate", "set_role", "send_invitation", "delete_selected"])
def test_f1_who_was_changed_since_the_question_is_named_and_left_alone(
    browse: Browse, admin: User, editor: User, ada: User, stranger: User, action: str
) -> None:
    client = browse(admin)
    answer = asked(client, action, [ada, stranger])
    save(browse(editor), user_page(ada), **{"profile-0-location": "Paris"})
    response = act(client, action, [ada, stranger], role="Reader", **answer)
    assert "Left alone: Ada Lovelace: changed since you were asked" in messages_of(response)
    assert (fresh(ada).is_active, fresh(ada).role) == (True, "")
    assert len(messages_of(response)) == 2  # the other one was dealt with


def test_f1_who_came_onto_the_list_since_the_question_is_left_alone(
    browse: Browse, admin: User, make_person: Callable[..., User], stranger: User
) -> None:
    client = browse(admin)
    answer = asked(client, "deactivate", [stranger], select_across="1")
    late = make_person("late")
    response = act(client, "deactivate", [stranger], **answer)
    assert "Left alone: late: was not on the list you were shown" in messages_of(response)
    assert fresh(late).is_active
    assert not fresh(stranger).is_active


@pytest.mark.parametrize("shown", ["", "x", "1:", "\0", "9" * 400 + ":1.1", "9" * 5000 + ":1.1", ":::"])
def test_f1_a_forged_list_of_versions_changes_nobody(browse: Browse, admin: User, ada: User, shown: str) -> None:
    act(browse(admin), "deactivate", [ada], confirmed="1", shown=shown)
    assert fresh(ada).is_active


# At the very same moment


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_", range(3))
def test_f1_of_two_who_save_the_same_field_at_the_same_moment_one_is_asked(
    browse: Browse, superuser: User, admin: User, ada: User, round_: int
) -> None:
    pages = [person_page(browse(who), ada) for who in (superuser, admin)]
    answers: dict[int, int] = {}

    def press(number: int) -> None:
        typed = {"last_name": f"Name {number}", "profile-0-location": f"Place {number}"}
        answers[number] = pages[number].send(**typed).status_code

    all_at_once(lambda: press(0), lambda: press(1))
    assert sorted(answers.values()) == [200, 302]
    [first] = [number for number, status in answers.items() if status == 302]
    now = fresh(ada)
    assert (now.last_name, now.profile.location) == (f"Name {first}", f"Place {first}")
    assert pages[1 - first].values["last_name"] == f"Name {1 - first}"


@pytest.mark.django_db(transaction=True)
def test_f1_two_who_save_different_fields_at_the_same_moment_both_keep_theirs(
    browse: Browse, admin: User, ada: User
) -> None:
    staff, own = person_page(browse(admin), ada), Page(browse(ada), EDIT, "")
    all_at_once(lambda: staff.send(last_name="King"), lambda: own.send(location="Rome", birth_date="1991-01-02"))
    now = fresh(ada)
    assert (now.last_name, now.profile.location, now.profile.birth_date) == ("King", "Rome", date(1991, 1, 2))


@pytest.mark.django_db(transaction=True)
def test_f1_a_save_and_an_action_at_the_same_moment_both_end_well(
    browse: Browse, superuser: User, admin: User, ada: User, stranger: User
) -> None:
    client = browse(superuser)
    answer = asked(client, "set_role", [ada, stranger])
    page = person_page(browse(admin), ada)
    all_at_once(
        lambda: page.send(role="Editor", first_name="Augusta"),
        lambda: act(client, "set_role", [ada, stranger], **{**answer, "role": "Reader"}),
    )
    assert fresh(stranger).role == Role.READER
    assert fresh(ada).role in {Role.READER, Role.EDITOR}
    assert Profile.objects.filter(pk=ada.pk).exists()
