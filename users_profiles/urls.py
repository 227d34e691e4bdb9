"""Addresses outside the admin."""

from django.urls import path

from users_profiles import views

urlpatterns = [
    path("", views.HomeView.as_view(), name="home"),
    path("profile/", views.ProfileView.as_view(), name="profile"),
    path("profile/edit/", views.ProfileEditView.as_view(), name="profile_edit"),
    path("people/<int:pk>/avatar-<int:edge>.webp", views.AvatarView.as_view(), name="avatar"),
    # These stand in for allauth's.
    path("accounts/signup/", views.SignupView.as_view(), name="account_signup"),
    path("accounts/email/", views.EmailView.as_view(), name="account_email"),
]
