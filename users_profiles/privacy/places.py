"""Every table that refers to a person: what of it is given out, and what becomes of it when they are erased.

A test compares this with the tables there are, so nobody adds one and forgets the people in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from django.apps import apps
from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy as _

from users_profiles.models import User

# Goes with the person; stays without them; or is rewritten by ``erasing``, because it has their words in it.
Fate = Literal["goes", "stays", "rewritten"]


@dataclass(frozen=True)
class Place:
    """The rows of one table that refer to people by one column.

    ``fields`` are given out, in a file called ``file``; secrets are not, and of what is in another file already only
    that ``why`` is said.
    """

    relation: str
    fate: Fate
    label: Any
    file: str = ""
    fields: tuple[str, ...] = ()
    why: str = ""

    def of(self, person: User) -> QuerySet[Any]:
        """The rows that refer to this person."""
        model, column = self.relation.rsplit(".", 1)
        table: type[Model] = apps.get_model(model)
        return table._base_manager.filter(**{column: person.pk})


_JOB = ("state", "started_at", "finished_at")

PLACES = (
    Place("users_profiles.Profile.user", "goes", _("Profile"), why="in person.json"),
    Place("users_profiles.SearchText.user", "goes", _("What the search finds them by"), why="made of person.json"),
    Place("users_profiles.User_groups.user", "goes", _("Groups"), why="in person.json"),
    Place("users_profiles.User_user_permissions.user", "goes", _("Permissions"), why="in person.json"),
    Place(
        "account.EmailAddress.user",
        "goes",
        _("E-mail addresses"),
        "email-addresses",
        ("email", "primary", "verified"),
    ),
    Place(
        "usersessions.UserSession.user",
        "goes",
        _("Sign-ins that last"),
        "sign-ins",
        ("ip", "user_agent", "created_at", "last_seen_at"),
    ),
    Place(
        "mfa.Authenticator.user",
        "goes",
        _("Second factors"),
        "second-factors",
        ("type", "created_at", "last_used_at"),
    ),
    Place(
        "socialaccount.SocialAccount.user",
        "goes",
        _("Accounts elsewhere"),
        "accounts-elsewhere",
        ("provider", "uid", "extra_data", "date_joined", "last_login"),
    ),
    Place("users_profiles.ListColumns.user", "goes", _("Columns of the list"), "list-columns", ("columns",)),
    Place("users_profiles.ImportRow.user", "rewritten", _("Rows of imports"), why="in imports.json"),
    Place("users_profiles.ImportPicture.user", "goes", _("Pictures kept by imports"), why="as pictures"),
    Place("users_profiles.TrailEntry.actor", "rewritten", _("What they did"), why="in did.json"),
    Place("admin.LogEntry.user", "goes", _("The log from before the trail"), why="names others"),
    Place(
        "users_profiles.Import.owner",
        "stays",
        _("Imports they made"),
        "imports-made",
        ("filename", "uploaded_at", "applied_at", *_JOB, "created", "updated", "refused"),
    ),
    Place(
        "users_profiles.Import.undone_by",
        "stays",
        _("Imports they took back"),
        "imports-taken-back",
        ("filename", "uploaded_at", *_JOB),
    ),
    Place(
        "users_profiles.Export.owner",
        "stays",
        _("Exports they made"),
        "exports-made",
        ("query", "columns", "format", "asked_at", *_JOB, "cursor", "digest"),
    ),
    Place(
        "users_profiles.Report.owner",
        "rewritten",
        _("Reports they saved"),
        "reports-saved",
        ("name", "query", "columns", "format", "every", "created_at"),
    ),
    Place(
        "users_profiles.Report_recipients.user",
        "goes",
        _("Reports mailed to them"),
        "reports-by-mail",
        ("report__name",),
    ),
    Place(
        "users_profiles.Invitation.person",
        "goes",
        _("Mails to them with a link that lets them in"),
        "invitations",
        ("kind", "state", "asked_at", "sent_at"),
    ),
    Place(
        "users_profiles.Delivery.recipient",
        "goes",
        _("Mails of reports to them"),
        "reports-mailed",
        ("report__name", "state", "run_at", "sent_at"),
    ),
)


def relations() -> Iterator[str]:
    """Every column of the database that refers to a person, as ``Place.relation`` has it."""
    for field in User._meta.get_fields(include_hidden=True):
        if field.auto_created and field.is_relation and not field.many_to_many:
            other = field.related_model
            assert isinstance(other, type)  # noqa: S101
            yield f"{other._meta.label}.{field.remote_field.name}"  # type: ignore[union-attr]
