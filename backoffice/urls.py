"""Every address of the product."""

from django.contrib import admin
from django.urls import include, path

handler500 = "backoffice.away.server_error"

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("users_profiles.urls")),  # before allauth, of whose pages it replaces some
    path("accounts/", include("allauth.account.urls")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("accounts/", include("allauth.socialaccount.providers.openid_connect.urls")),
]
