"""How importing works: the page that explains it, and the sample files it offers."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from users_profiles import roles
from users_profiles.admin.transfer_pages import as_attachment
from users_profiles.models import User
from users_profiles.roles import Action
from users_profiles.transfer import guide
from users_profiles.transfer.export import formats


class GuideMixin:
    """Gives a ModelAdmin of people the page that explains imports."""

    def get_urls(self) -> list[URLPattern]:
        site: admin.AdminSite = self.admin_site  # type: ignore[attr-defined]
        own = [
            path("import/help/", site.admin_view(self.guide_view), name="users_profiles_user_import_help"),
            path(
                "import/help/sample.<slug:ending>",
                site.admin_view(self.sample_view),
                name="users_profiles_user_import_sample",
            ),
        ]
        return [*own, *super().get_urls()]  # type: ignore[misc]

    def guide_view(self, request: HttpRequest) -> HttpResponse:
        """Explain imports to whoever may make one, with the columns that they may import."""
        actor = _importer(request)
        site: admin.AdminSite = self.admin_site  # type: ignore[attr-defined]
        context: dict[str, Any] = {
            **site.each_context(request),
            "title": _("How importing works"),
            "opts": self.opts,  # type: ignore[attr-defined]
            "columns": guide.explained(actor),
            "left_out": guide.left_out(actor),
            "may_deactivate": roles.may(actor, Action.DEACTIVATE),
            "most_rows": settings.IMPORT_MAX_ROWS,
            "most_mb": settings.IMPORT_MAX_BYTES // 1024**2,
            "undo_days": settings.IMPORT_KEEP_ROWS_DAYS,
        }
        return TemplateResponse(request, "admin/transfer/guide.html", context)

    def sample_view(self, request: HttpRequest, ending: str) -> HttpResponseBase:
        """A small file to begin with, that imports as it is."""
        actor = _importer(request)
        if ending not in guide.FORMATS:
            raise Http404
        content = HttpResponse(guide.sample(actor, ending), content_type=formats.CONTENT_TYPES[ending])
        return as_attachment(content, f"sample.{ending}")


def _importer(request: HttpRequest) -> User:
    """Whoever asks, if they may import."""
    if not roles.may(request.user, Action.IMPORT) or not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
