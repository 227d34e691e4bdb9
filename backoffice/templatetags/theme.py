"""What the admin's templates need beyond Django's and jazzmin's own tags.

Nothing here queries, but ``newest_first``.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from django import template
from django.contrib.admin.helpers import AdminForm, InlineAdminFormSet
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.contrib.admin.widgets import ForeignKeyRawIdWidget, RelatedFieldWidgetWrapper
from django.core.exceptions import ValidationError
from django.core.paginator import Page, Paginator
from django.forms import BaseForm, DateField, Media, TimeField
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from jazzmin.settings import get_settings

register = template.Library()

HISTORY_PAGE = 25


@register.simple_tag
@cache
def icon(name: str) -> SafeString:
    """Draw an icon of our sprite; it is decoration, the words beside it are what counts.

    Kept, because a page has dozens, and each asks the storage where the sprite is, which stays where it is.
    """
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>', static("backoffice/icons.svg"), name
    )


@register.simple_tag(takes_context=True)
def people_search(context: template.Context) -> dict[str, str] | None:
    """The list that the search in the top bar looks through: the first of ``search_model`` this person may see."""
    visible = {model["admin_url"] for app in context.get("available_apps") or [] for model in app["models"]}
    for searched in get_settings().get("search_models_parsed", []):
        if searched["search_url"] in visible:
            return {"url": searched["search_url"]}
    return None


@register.filter
def leads_to(url: str | None, path: str) -> bool:
    """Say whether ``path`` is the page at ``url`` or one below it."""
    return bool(url) and path.startswith(str(url))


# Lists --------------------------------------------------------------------------------------------------------------


@register.simple_tag
def chosen_in(choices: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a filter is set to, each with the address without it. The first choice of every filter is "All"."""
    everything = choices[0]["query_string"] if choices else "?"
    return [{"without": everything, **choice} for choice in choices[1:] if choice.get("selected")]


@register.simple_tag(takes_context=True)
def came_from(context: template.Context, list_url: str) -> str:
    """The list as one left it. Django's own tag keeps one value of each filter, where a filter can have several."""
    request = context.get("request")
    kept = request.GET.get("_changelist_filters", "") if request is not None else ""
    return f"{list_url}?{kept}" if kept else list_url


@register.simple_tag
def page_url(cl: ChangeList, number: int) -> str:
    """The address of another page of the same list."""
    return cl.get_query_string({PAGE_VAR: number})


@register.simple_tag
def newest_first(page: Page, number: str | None) -> Page:
    """Page through the log of an object from its end; Django's own view starts with the oldest entry."""
    entries = page.paginator.object_list.order_by("-action_time", "-pk")  # type: ignore[attr-defined]
    return Paginator(entries, HISTORY_PAGE).get_page(number or 1)


# Forms --------------------------------------------------------------------------------------------------------------


def _as_iso(field: DateField | TimeField, value: str, format_: str) -> str:
    try:
        parsed = field.to_python(value)
    except ValidationError:
        return ""
    return parsed.strftime(format_) if parsed else ""


@register.filter
def iso_date(value: str | None) -> str:
    """The date as browsers want it; what a widget gives is written as the language writes it."""
    return _as_iso(DateField(), value or "", "%Y-%m-%d")


@register.filter
def iso_time(value: str | None) -> str:
    """The time of day as browsers want it, to the second."""
    return _as_iso(TimeField(), value or "", "%H:%M:%S")


_JQUERY = {
    "admin/js/vendor/jquery/jquery.js",
    "admin/js/vendor/jquery/jquery.min.js",
    "admin/js/jquery.init.js",
}
_PREPOPULATE = {
    "admin/js/urlify.js",
    "admin/js/prepopulate.js",
    "admin/js/vendor/xregexp/xregexp.js",
    "admin/js/vendor/xregexp/xregexp.min.js",
}
_RELATED = "admin/js/admin/RelatedObjectLookups.js"
_INLINES = "admin/js/inlines.js"
_CORE = "admin/js/core.js"
# Our lists and date fields do without these.
_REPLACED = {"admin/js/actions.js", "admin/js/calendar.js", "admin/js/admin/DateTimeShortcuts.js"}
_WHERE_NEEDED = {*_JQUERY, *_PREPOPULATE, *_REPLACED, _RELATED, _INLINES, _CORE}
_OWN = ("backoffice/", "users_profiles/")


@register.simple_tag
def lean_media(
    media: Media, adminform: AdminForm | None = None, formsets: Iterable[InlineAdminFormSet] | None = None
) -> dict[str, Any]:
    """The scripts and styles a page uses. Django sends the same 290 KB to every page, in case something on it does.

    ``translations`` says whether one of the scripts left calls Django's JavaScript translations.
    """
    formsets = list(formsets or ())
    paths = media._js  # type: ignore[attr-defined]
    needed: set[str] = set()
    if _prepopulates(adminform, formsets):
        needed |= {*_JQUERY, *_PREPOPULATE}
    if any(_relates(form) for form in _forms(adminform, formsets)):
        needed |= {*_JQUERY, _RELATED, _CORE}
    if any(_grows(inline) for inline in formsets):
        needed |= {*_JQUERY, _INLINES}
    foreign = any(path not in _WHERE_NEEDED and not any(own in str(path) for own in _OWN) for path in paths)
    if foreign:
        needed |= {*_JQUERY, _CORE}
    scripts = [path for path in paths if path in needed or path not in _WHERE_NEEDED]
    return {"js": Media(js=scripts)["js"], "css": media["css"], "translations": foreign or _RELATED in needed}


def _forms(adminform: AdminForm | None, formsets: list[InlineAdminFormSet]) -> Iterable[BaseForm]:
    if adminform is not None:
        yield adminform.form
    for inline in formsets:
        yield inline.formset.empty_form


def _relates(form: BaseForm) -> bool:
    """Say whether a field opens another object in a window of its own."""
    kinds = (RelatedFieldWidgetWrapper, ForeignKeyRawIdWidget)
    return any(isinstance(field.widget, kinds) for field in form.fields.values())


def _grows(inline: InlineAdminFormSet) -> bool:
    """Say whether a row can be added to (or taken back from) a formset on the page."""
    formset = inline.formset
    room = formset.max_num is None or formset.max_num > formset.initial_form_count()
    return bool(inline.has_add_permission and room)


def _prepopulates(adminform: AdminForm | None, formsets: list[InlineAdminFormSet]) -> bool:
    return bool(adminform and adminform.prepopulated_fields) or any(inline.prepopulated_fields for inline in formsets)
