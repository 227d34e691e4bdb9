"""How somebody likes to see the list of people."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class ListColumns(models.Model):
    """The columns somebody has chosen, in their order; without a row it is the usual ones.

    The names are those of an export. What is chosen and may not be seen, any more, is not shown.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+")
    columns = models.JSONField(_("columns"), default=list)

    class Meta:
        verbose_name = _("columns of the list")
        verbose_name_plural = _("columns of the list")
        default_permissions = ()

    def __str__(self) -> str:
        return ", ".join(self.columns)
