"""The admin site: signs people in by the same pages as everywhere, and shows only what this project wrote for it.

It is not in users_profiles/admin/, because importing that package registers its models on this site: the site would be
made twice, and the second one would be empty.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import update_wrapper
from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse, reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache


class BackofficeSite(admin.AdminSite):
    site_title = site_header = _("Backoffice")
    index_title = _("Dashboard")
    empty_value_display = "–"  # as users_profiles.admin.columns has it

    def register(
        self,
        model_or_iterable: type[Model] | Iterable[type[Model]],
        admin_class: type[admin.ModelAdmin[Any]] | None = None,
        **options: Any,
    ) -> None:
        """Register a model, unless a library brings its own admin for it.

        Those ask Django's permissions only and know nothing of who may touch whom; addresses, groups and queued tasks
        must not be a way around ``roles.may``.
        """
        if admin_class is not None and admin_class.__module__.startswith("users_profiles."):
            super().register(model_or_iterable, admin_class, **options)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Call the section with the groups by a word that fits the sidebar."""
        apps = super().get_app_list(request, app_label)
        for app in apps:
            if app["app_label"] == "auth":
                app["name"] = _("Access")
        return apps

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The dashboard."""
        from users_profiles.admin.dashboard import dashboard  # the package registers itself here, so not before

        return super().index(request, {"dashboard": dashboard(request.user), **(extra_context or {})})

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Answer 403 to who is signed in and is not staff; signing in again would not help them.

        Staff without the second factor that the settings demand are led to where they set it up (security check D2).
        """
        from users_profiles.accounts import second_factor  # the site is made before there are models

        guarded = super().admin_view(view, cacheable)

        def refuse_or_go_on(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if request.user.is_authenticated and not self.has_permission(request):
                raise PermissionDenied
            if second_factor.is_missing(request.user):
                return HttpResponseRedirect(reverse("mfa_index"))
            return guarded(request, *args, **kwargs)

        return update_wrapper(refuse_or_go_on, guarded)

    @method_decorator(never_cache)
    @method_decorator(secure_admin_login)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Send whoever is not signed in to the sign-in page, and answer 403 to who is but is not staff."""
        return HttpResponseRedirect(reverse("admin:index", current_app=self.name))

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Sign out, and back to the sign-in page."""
        return LogoutView.as_view(next_page=reverse_lazy("account_login"))(request)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """There is one page on which people change their own password; it is not ours."""
        return HttpResponseRedirect(reverse("account_change_password"))
