"""The arrows of the design: which unit of the app stands above which."""

from __future__ import annotations

from django.conf import settings

APP = settings.BASE_DIR / "users_profiles"
# Each line may import from the lines above it, and nothing beside it: admin and views, above all, know nothing of each
# other, and the transfer engine runs without either.
LEVELS = (
    {"sentences"},
    {"folding", "room", "storage"},
    {"among", "avatars", "keys", "logs", "moments", "phones", "queueing", "replica", "speaking"},
    {"models"},
    {"search"},
    {"recorder"},
    {"signals", "roles", "superusers"},
    {"accounts", "criteria", "trail"},
    {"selection"},
    {"checks", "demo", "figures", "invitations", "templatetags"},
    {"transfer", "conflicts"},
    {"forms", "account_forms", "operations", "privacy", "reports"},
    {"admin", "views"},
    {"urls", "apps", "management"},
)
