"""A picture that an import brings, and afterwards the one it replaced."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from users_profiles import avatars
from users_profiles.models.jobs import Import


def given_name(picture: ImportPicture, filename: str) -> str:
    """The name that was chosen, and committed to this table, before there was a file of that name."""
    return filename


class ImportPicture(models.Model):
    """The picture that is not in use: until the import is applied the new one, from then on the one before it.

    To apply, and to undo, is to swap two names in the database. No file is written or removed on the way, so both are
    safe to cut short at any moment. What is left in ``file`` goes for good with this row, by django-cleanup, after the
    commit: with the person, with the import, or when uploads are old enough to be forgotten.
    """

    job = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="pictures", db_index=False)
    # Of the row of the import that this belongs to.
    number = models.PositiveIntegerField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    file = avatars.AvatarField(_("picture"), upload_to=given_name, blank=True)
    # The name of the picture that the person was given, to see at an undo whether it was changed again since.
    given = models.CharField(max_length=100, blank=True)

    class Meta:
        verbose_name = _("imported picture")
        verbose_name_plural = _("imported pictures")
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["job", "number"], name="import_picture_once")]
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.number)
