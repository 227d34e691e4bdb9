"""Addresses outside the admin."""

from allauth.mfa.recovery_codes.views import view_recovery_codes
from allauth.mfa.totp.views import activate_totp
from allauth.socialaccount.views import login_cancelled
from django.urls import path, reverse_lazy
from django.views.decorators.cache import never_cache
from django.views.generic import RedirectView
from django.views.i18n import set_language

from users_profiles import views

urlpatterns = [
    path("", views.HomeView.as_view(), name="home"),
    path("profile/", views.ProfileView.as_view(), name="profile"),
    path("profile/edit/", views.ProfileEditView.as_view(), name="profile_edit"),
    path("profile/language/", views.SpeakingView.as_view(), name="profile_language"),
    path("language/", set_language, name="set_language"),  # for who is not signed in
    path("profile/data/", views.MyDataView.as_view(), name="profile_data"),
    path("people/<int:pk>/avatar-<int:edge>.webp", views.AvatarView.as_view(), name="avatar"),
    # These stand in for allauth's. No copy of a page with a secret may stay behind in the browser.
    path("accounts/signup/", views.SignupView.as_view(), name="account_signup"),
    path("accounts/email/", views.EmailView.as_view(), name="account_email"),
    path("accounts/2fa/", views.SecondFactorView.as_view(), name="mfa_index"),
    path("accounts/2fa/recovery-codes/", never_cache(view_recovery_codes), name="mfa_view_recovery_codes"),
    path("accounts/2fa/totp/activate/", never_cache(activate_totp), name="mfa_activate_totp"),
    path("accounts/2fa/webauthn/", RedirectView.as_view(url=reverse_lazy("mfa_index")), name="mfa_list_webauthn"),
    path("accounts/sessions/", views.SessionsView.as_view(), name="usersessions_list"),
    path("accounts/proven/", views.IdentityProvenView.as_view(), name="identity_proven"),
    path("accounts/oidc/<str:provider_id>/login/", views.begin_single_sign_on, name="openid_connect_login"),
    path("accounts/cancelled/", login_cancelled, name="socialaccount_login_cancelled"),
]
