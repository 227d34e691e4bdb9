"""The settings of the admin's theme: what the menus have, in which order, and with which icons."""

from django.utils.translation import gettext_lazy as _

JAZZMIN_SETTINGS = {
    "site_title": "Backoffice",
    "site_header": "Backoffice",
    "site_brand": "Backoffice",
    "site_logo": "backoffice/logo.svg",
    "site_icon": "backoffice/logo.svg",
    "welcome_sign": _("Sign in"),
    "copyright": "",
    "search_model": ["users_profiles.User"],
    "use_google_fonts_cdn": False,
    "show_theme_chooser": False,
    "show_ui_builder": False,
    "related_modal_active": False,
    "changeform_format": "single",
    # Names of icons in static/backoffice/icons.svg.
    "icons": {
        "users_profiles.user": "people",
        "users_profiles.import": "import",
        "users_profiles.report": "columns",
        "users_profiles.export": "export",
        "users_profiles.trailentry": "history",
        "auth.group": "key",
    },
    "default_icon_parents": "groups",
    "default_icon_children": "columns",
    "order_with_respect_to": [
        "users_profiles",
        "users_profiles.user",
        "users_profiles.report",
        "users_profiles.import",
        "users_profiles.export",
        "users_profiles.trailentry",
        "auth",
    ],
    "usermenu_links": [
        {"name": _("Your profile"), "url": "profile", "icon": "user"},
        {"name": _("Language and time zone"), "url": "profile_language", "icon": "globe"},
        {"name": _("Change password"), "url": "account_change_password", "icon": "key"},
        {"name": _("Two-step sign-in"), "url": "mfa_index", "icon": "phone"},
        {"name": _("Where you are signed in"), "url": "usersessions_list", "icon": "system"},
    ],
}
JAZZMIN_UI_TWEAKS = {"theme": "default", "default_theme_mode": "auto"}
