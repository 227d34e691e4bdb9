"""The search stays exact by whichever road a person changes, while its index lags behind and after it has caught up."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import F, Value
from django.db.models.functions import Concat

from tests import roads
from tests.admin_pages import USERS
from tests.roads import Browse, World
from users_profiles import search
from users_profiles.models import Import, Profile, SearchNote, SearchText, User
from users_profiles.privacy import erasing
from users_profiles.search import asking, making, settling, tables, texts, wanted

pytestmark = pytest.mark.django_db


def found(text: str) -> set[int]:
    return set(User.objects.filter(search.matches(text, private=True)).values_list("pk", flat=True))


def words_of_everybody() -> set[str]:
    """Whatever anybody could be found by at this moment."""
    texts_of_people = [texts.text_of(*values) for _key, *values in texts.people()]
    return {word for text in texts_of_people for word in (*text.words.split(), text.phone) if word}


def assert_exact(words: set[str]) -> None:
    """Each word finds the people who have it, and nobody else."""
    people = [(key, texts.text_of(*values)) for key, *values in texts.people()]
    for word in words:
        asked = wanted.read(word)
        assert found(word) == {key for key, text in people if asked.fits(text)}, word


def assert_settled() -> None:
    settling.settle()
    assert not settling.is_behind()
    assert settling.count_differences() == 0


def raw_sql(world: World) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE users_profiles_user SET last_name = 'Byron' WHERE username = 'ada'")
        cursor.execute("UPDATE users_profiles_profile SET location = 'Athens' WHERE user_id = %s", [world.ada.pk])


def one_statement(world: World) -> None:
    User.objects.filter(username__in=["ada", "edgar"]).update(first_name=Concat(F("first_name"), Value("lein")))
    Profile.objects.update(location="Genève")


def many_at_once(world: World) -> None:
    User.objects.bulk_create([User(username=f"new{at}", last_name="Neumann") for at in range(30)])


def a_key_from_before(world: World) -> None:
    """A fixture brings somebody back under a key that the index has gone past."""
    key = world.ada.pk
    world.ada.delete()
    User(pk=key, username="zoe", first_name="Zoë").save_base(raw=True)
    Profile(user_id=key, location="Łódź").save_base(raw=True)


ROADS = [
    roads.the_form_of_a_person,
    roads.private_fields,
    roads.adding,
    roads.deleting,
    roads.ones_own_profile,
    roads.changing_ones_email,
    roads.registering,
    roads.an_import,
    roads.a_roster,
    roads.an_undo,
    roads.a_fixture,
    roads.action("delete_selected"),
    raw_sql,
    one_statement,
    many_at_once,
    a_key_from_before,
]


@pytest.mark.parametrize("road", ROADS, ids=lambda road: road.__name__)
def test_whoever_changes_by_whatever_road_is_found_right_after(
    road: Callable[[World], None], world: World, mailoutbox: Any
) -> None:
    settling.settle()
    before = words_of_everybody()
    road(world)
    words = before | words_of_everybody()
    assert_exact(words)
    assert_settled()
    assert_exact(words)


def test_nothing_is_noted_of_a_sign_in_or_of_what_is_not_searched(ada: User) -> None:
    settling.settle()
    User.objects.filter(pk=ada.pk).update(is_staff=True)
    ada.profile.bio = "Counts."
    ada.profile.save_changes()
    assert not settling.is_behind()


def test_it_goes_on_where_it_was_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "AT_ONCE", 10)
    User.objects.bulk_create([User(username=f"person{at}") for at in range(25)])
    assert settling.settle(most=10) == 10
    assert SearchText.objects.count() == 10
    assert len(found("person")) == 25
    assert settling.settle() == 15
    assert_settled()


def test_a_thousand_take_no_more_queries_than_ten(
    make_person: Callable[..., User], django_assert_max_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for many in (10, 1_000):
        User.objects.bulk_create([User(username=f"of{many}at{at}") for at in range(many)])
        with django_assert_max_num_queries(7):
            assert len(found("of10")) in {10, 1_010}
        with django_assert_max_num_queries(30):
            settling.settle()
        with django_assert_max_num_queries(6):
            assert len(found(f"of{many}at")) == many


def test_a_word_that_nearly_everybody_has_finds_them_all_the_same(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    User.objects.bulk_create([User(username=f"person{at}", last_name="Müller") for at in range(20)])
    settling.settle()
    User.objects.filter(username="person1").update(last_name="Maier")
    User.objects.filter(pk=ada.pk).update(last_name="Müller")
    if connection.vendor == "postgresql":  # which knows too little about so few
        monkeypatch.setattr(tables, "is_common", lambda wanted: True)
    assert tables.is_common(wanted.read("muller"))
    assert found("muller") == set(User.objects.filter(last_name="Müller").values_list("pk", flat=True))


# After a large import


@pytest.fixture
def backlog(monkeypatch: pytest.MonkeyPatch, ada: User) -> list[User]:
    """Twenty new people whom the index does not know, of whom a search looks at five."""
    settling.settle()
    monkeypatch.setattr(asking, "MOST_BESIDE", 5)
    return User.objects.bulk_create([User(username=f"person{at:02}") for at in range(20)])


def test_of_many_new_people_a_search_looks_at_the_newest_and_says_how_many_it_does_not_find(
    backlog: list[User], ada: User, browse: Browse, reader: User, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(7):
        names = set(User.objects.filter(search.matches("person", private=True)).values_list("username", flat=True))
    assert names
    assert names <= {f"person{at}" for at in range(15, 20)}
    assert search.not_yet() >= 15
    sentence = "people who have just been imported or changed may not be found yet."
    assert sentence in browse(reader).get(USERS, {"q": "person"}).content.decode()
    assert sentence not in browse(reader).get(USERS).content.decode()
    assert_settled()
    assert search.not_yet() == 0
    assert len(found("person")) == 20
    assert sentence not in browse(reader).get(USERS, {"q": "person"}).content.decode()


def test_who_is_changed_by_hand_is_found_at_once_however_many_were_imported(backlog: list[User], ada: User) -> None:
    User.objects.filter(pk=ada.pk).update(last_name="Byron")
    assert found("byron") == {ada.pk}
    assert found("lovelace") == set()


@pytest.mark.parametrize("is_importing", [False, True])
def test_while_something_is_imported_the_index_catches_up_a_step_at_a_time(
    is_importing: bool, backlog: list[User], admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "AT_ONCE", 10)
    if is_importing:
        Import.objects.create(owner=admin, filename="people.csv", size=1, state=Import.State.APPLYING)
    before = SearchText.objects.count()
    settling.settle_in_background()
    assert SearchText.objects.count() > before
    assert settling.is_behind() is (is_importing and connection.vendor == "sqlite")


# Repairing


def rebuild(*options: str) -> str:
    out = io.StringIO()
    call_command("rebuild_search", *options, stdout=out)
    return out.getvalue()


def test_rebuilding_puts_right_what_was_written_behind_its_back(ada: User, admin: User) -> None:
    settling.settle()
    SearchText.objects.filter(pk=ada.pk).update(words="  nobody")
    SearchText.objects.create(pk=987_654, words="  somebody  gone")
    SearchNote.objects.exclude(last=SearchNote.OPEN).delete()
    assert rebuild("--dry-run") == "Texts that differ: 2.\n"
    assert found("nobody") == {ada.pk}
    assert rebuild() == "People who can be found now: 2.\n"
    assert rebuild("--dry-run") == "Texts that differ: 0.\n"
    assert found("lovelace") == {ada.pk}
    assert not SearchText.objects.filter(pk=987_654).exists()


def test_a_lost_trigger_is_made_again_and_everybody_looked_at(ada: User) -> None:
    settling.settle()
    with connection.cursor() as cursor:
        table = "" if connection.vendor == "sqlite" else " ON users_profiles_user"
        cursor.execute(f"DROP TRIGGER users_profiles_user_search_changed{table}")
        cursor.execute("UPDATE users_profiles_user SET last_name = 'Byron'")
    assert found("byron") == set()
    settling.keep_triggers()
    assert found("byron") == {ada.pk}
    assert_settled()
    assert not making.make_triggers()


def test_triggers_that_know_other_columns_are_replaced_and_everybody_looked_at(
    ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a release before a column was searched."""
    name = "users_profiles_user_search_changed"
    if connection.vendor == "sqlite":
        older = making._sqlite_note(tables.USER, "id", ["username"])[name]
        monkeypatch.setitem(making._SQLITE, name, older)
    else:
        name = "users_profiles_user_note_changed"
        older = making._FUNCTIONS[name].replace("last_name", "username")
        monkeypatch.setitem(making._FUNCTIONS, name, older)
    assert making.make_triggers()
    settling.settle()
    monkeypatch.undo()
    User.objects.filter(pk=ada.pk).update(last_name="Byron")
    assert found("byron") == set()
    settling.keep_triggers()
    assert found("byron") == {ada.pk}
    assert_settled()
    assert not making.make_triggers()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_trigger_waits_for_whoever_writes_and_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "LOCK_WAIT", "20ms")
    tables.run("DROP TRIGGER users_profiles_user_search_new ON users_profiles_user")
    waits: list[float] = []
    writer = connection.copy()
    try:
        writer.set_autocommit(False)
        with writer.cursor() as cursor:
            cursor.execute("LOCK TABLE users_profiles_user IN ROW EXCLUSIVE MODE")

        def let_go(seconds: float) -> None:
            waits.append(seconds)
            writer.rollback()

        monkeypatch.setattr(making.time, "sleep", let_go)
        assert making.make_triggers()
    finally:
        writer.close()
    assert waits == [making.PAUSE]
    assert not making.make_triggers()


# Erasing


def test_of_the_erased_no_text_is_left(ada: User) -> None:
    settling.settle()
    erasing.erase(ada, None)
    assert not SearchText.objects.filter(pk=ada.pk).exists()
    settling.settle()
    assert SearchNote.objects.exclude(last=SearchNote.OPEN).count() == 0
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("SELECT group_concat(hex(block)) FROM users_profiles_searchindex_data")
            assert b"vel".hex().upper() not in cursor.fetchone()[0]  # of Lovelace, which nobody else is called
