"""What django-jazzmin 3.0.5 gets wrong as it comes, and the tests that show each of it gone."""

from __future__ import annotations

import ast

import pytest
from django.conf import settings

# What was wrong; then where it is shown to be right: a module of tests, and names of tests in it.
DEFECTS: dict[int, tuple[str, dict[str, tuple[str, ...]]]] = {
    1: (
        "an error on every page with hashed static files",
        {"theme/test_every_kind_of_page": ("test_every_kind_of_page_is_drawn_with_production_s_static_files",)},
    ),
    2: (
        "an export of everybody where the list was filtered; an import that prints tracebacks",
        {
            "browser/test_export": ("test_a_filtered_list_leaves_as_the_file_that_it_shows",),
            "browser/test_import": ("test_an_old_excel_file_is_refused_in_words",),
        },
    ),
    3: (
        "a history of the oldest, without pages",
        {"theme/test_forms": ("test_history_begins_with_the_newest_and_has_pages",)},
    ),
    4: (
        "what is to be hidden is shown: all selected, always",
        {"browser/test_theme": ("test_a_list_a_form_and_a_question_look_as_they_are_meant",)},
    ),
    5: (
        "filters without keyboard, facets, several values or a way back",
        {
            "browser/test_people_list": (
                "test_with_the_keyboard_alone_somebody_filters_by_two_roles_acts_on_two_people_and_takes_it_back",
                "test_an_admin_searches_and_filters_and_finds_the_way_back",
            ),
            "test_admin_filters": (
                "test_when_somebody_joined_is_a_filter_on_any_day_of_the_year",
                "test_a_value_among_several_can_be_taken_away_alone",
                "test_counts_beside_the_choices_are_right",
            ),
        },
    ),
    6: (
        "windows to choose from that open dimmed and eat the first click",
        {"browser/test_theme": ("test_sections_open_and_windows_to_choose_from_are_not_in_the_way",)},
    ),
    7: (
        "collapsed sections that never open, tabs that hide errors",
        {
            "browser/test_theme": ("test_sections_open_and_windows_to_choose_from_are_not_in_the_way",),
            "browser/test_person": ("test_a_mistake_is_named_on_top_and_leads_to_its_field",),
        },
    ),
    8: (
        "lists to choose several from that do not work",
        {"test_admin_users": ("test_further_groups_do_not_cost_the_role",)},
    ),
    9: (
        "an import page with an empty list of fields, no guess and the wrong title",
        {
            "browser/test_import": ("test_the_sample_of_an_inventory_system_becomes_a_hundred_people",),
            "browser/test_every_page": ("test_there_is_nothing_to_complain_of",),
        },
    ),
    10: (
        "fonts from another host",
        {
            "theme/test_every_kind_of_page": ("test_no_page_asks_another_host_for_anything",),
            "browser/test_every_page": (
                "test_there_is_nothing_to_complain_of",
                "test_whatever_is_wrong_with_a_page_is_noticed",
            ),
        },
    ),
    11: (
        "a sidebar that forgets its state, with a huge picture, and does not close on a phone",
        {
            "browser/test_around": (
                "test_a_narrow_sidebar_stays_narrow",
                "test_on_a_phone_the_menu_is_a_drawer_that_escape_closes",
            ),
            "browser/test_theme": ("test_a_list_a_form_and_a_question_look_as_they_are_meant",),
        },
    ),
    12: (
        "a sign-in without labels that forgets the username and says no error",
        {
            "browser/test_sign_in": ("test_somebody_gets_the_password_wrong_then_right_with_the_keyboard_alone",),
        },
    ),
    13: (
        "confirm and cancel alike, inputs that cut, dates that wrap, no first heading",
        {
            "browser/test_theme": ("test_a_list_a_form_and_a_question_look_as_they_are_meant",),
            "browser/test_every_page": ("test_there_is_nothing_to_complain_of",),
        },
    ),
    14: (
        "dead skip links and wrong roles",
        {
            "browser/test_theme": ("test_a_list_a_form_and_a_question_look_as_they_are_meant",),
            "browser/test_every_page": ("test_there_is_nothing_to_complain_of",),
        },
    ),
    15: (
        "settings of colours that do nothing",
        {
            "theme/test_every_kind_of_page": ("test_colours_are_decided_in_one_file_only",),
            "browser/test_around": ("test_the_colours_somebody_chose_stay_and_go_along",),
        },
    ),
    16: (
        "1.44 MB for a list",
        {"browser/test_weight": ("test_a_page_is_light_and_drawn_no_later_than_by_django_s_own_admin",)},
    ),
}


@pytest.mark.parametrize("number", DEFECTS)
def test_each_has_its_test(number: int) -> None:
    for module, names in DEFECTS[number][1].items():
        tree = ast.parse((settings.BASE_DIR / "tests" / f"{module}.py").read_text(encoding="utf-8"))
        there = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert set(names) <= there, module
