"""Every address of the product."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("users_profiles.urls")),  # before allauth, whose page for the e-mail it replaces
    path("accounts/", include("allauth.account.urls")),
]
