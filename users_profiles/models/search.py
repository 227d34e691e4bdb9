"""What the search looks at: a text per person, and whose is not up to date. ``users_profiles.search`` fills it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class SearchText(models.Model):
    """The words one person is found by, in small letters without accents.

    The database removes it with the person, by a trigger: a deletion past the ORM must leave no text behind either.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        primary_key=True,
        db_constraint=False,
        related_name="search_text",
    )
    words = models.TextField()
    # Apart from the words, because only some may search by it.
    phone = models.TextField(blank=True)

    class Meta:
        verbose_name = _("search text")
        verbose_name_plural = _("search texts")
        default_permissions = ()

    def __str__(self) -> str:
        return self.words


class SearchNote(models.Model):
    """The people with keys from ``first`` to ``last`` are to be looked at: their text may be older than they are.

    Triggers write these, so no road that changes a person can forget to. Nothing here is unique: two transactions that
    note the same person must not wait for each other.
    """

    # Everybody from ``first`` on, also who comes later.
    OPEN = 2**63 - 1

    first = models.BigIntegerField()
    last = models.BigIntegerField(db_index=True)

    class Meta:
        verbose_name = _("note for the search")
        verbose_name_plural = _("notes for the search")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"
