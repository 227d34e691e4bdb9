"""All settings of the project, read from the environment. ``.env.example`` lists what can be set and why.

With DEBUG on, values good for one machine are the default; without it, whatever matters must be said.
"""

import os
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import phonenumbers
from csp.constants import NONE, SELF

from backoffice.env import Settings, stop
from backoffice.menu import JAZZMIN_SETTINGS, JAZZMIN_UI_TWEAKS  # noqa: F401 (settings are found by their names)

BASE_DIR = Path(__file__).resolve().parent.parent
# A test run, or a second copy on one machine, names another file here, or none (/dev/null).
env = Settings(Path(os.environ.get("ENV_FILE") or BASE_DIR / ".env"))

# Core ---------------------------------------------------------------------------------------------------------------

DEBUG = env.flag("DEBUG", default=False)
DATA_DIR = env.folder("DATA_DIR", BASE_DIR / "var")

SECRET_KEY = env.text("SECRET_KEY", "development-only-" * 4 if DEBUG else "")
if not SECRET_KEY:
    stop("SECRET_KEY is not set. Set it to a long random text, or copy .env.example to .env to try things out.")
_is_random = len(SECRET_KEY) >= 50 and len(set(SECRET_KEY)) >= 5
if not DEBUG and (not _is_random or SECRET_KEY.startswith(("development-", "django-insecure-"))):
    stop("SECRET_KEY is too weak. Use at least 50 random characters; README.md has a command that makes one.")

ALLOWED_HOSTS = env.hosts("ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]") if DEBUG else ())
if not ALLOWED_HOSTS:
    stop("ALLOWED_HOSTS is not set. Name the host people will type, such as people.example.com.")
if not DEBUG and "*" in ALLOWED_HOSTS:
    stop("ALLOWED_HOSTS is '*', which lets anybody forge links in mails. Name the hosts instead.")
CSRF_TRUSTED_ORIGINS = env.origins("CSRF_TRUSTED_ORIGINS")

ROOT_URLCONF = "backoffice.urls"
WSGI_APPLICATION = "backoffice.wsgi.application"
# How many processes the web server has: two for each core, which wait for the database half of the time, and one more.
WEB_PROCESSES = env.number("WEB_PROCESSES", min(2 * (os.cpu_count() or 1) + 1, 9), at_least=1)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The order is the order in which templates win: ours, then import-export's own, then the theme's, then Django's.
INSTALLED_APPS = [
    "backoffice",
    "users_profiles",
    "import_export",
    "jazzmin",
    "backoffice.apps.BackofficeAdminConfig",  # django.contrib.admin, on our own site
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "auditlog",
    "csp",
    "django_tasks",
    "django_tasks_db",
    "django_cleanup.apps.CleanupConfig",  # last, so that it sees every model
]

MIDDLEWARE = [
    "users_profiles.operations.probes.answer_probes",  # before everything that could turn a probe away
    "users_profiles.logs.trace_requests",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "backoffice.away.ask_again",
    "csp.middleware.CSPMiddleware",
    "backoffice.headers.permissions_policy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "users_profiles.speaking.to_whoever_asks",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "users_profiles.accounts.sessions.remember",
    "users_profiles.recorder.remember_request",
    "users_profiles.replica.remember_writes",
    "users_profiles.storage.SayStorageIsDown",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# Data ---------------------------------------------------------------------------------------------------------------

DATABASES = {"default": env.database("DATABASE_URL", f"sqlite:///{DATA_DIR / 'backoffice.sqlite3'}")}
_database = DATABASES["default"]
if _database["ENGINE"] == "django.db.backends.sqlite3":
    _database["OPTIONS"] = {
        # A transaction takes the write lock when it begins: one that upgrades later fails at once with
        # "database is locked", whatever the timeout (security check F5).
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        # A larger cache and rarer checkpoints: an import touches the same index pages again and again.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY;"
        " PRAGMA cache_size=-20000; PRAGMA wal_autocheckpoint=8000;",
    }
else:
    _database["CONN_MAX_AGE"] = env.number("DATABASE_CONN_MAX_AGE", 60)
    _database["CONN_HEALTH_CHECKS"] = True
    # A server that does not answer is one that is down; without this a page waits for minutes to say so.
    _database.setdefault("OPTIONS", {}).setdefault("connect_timeout", 10)

# Lists, exports, reports and figures are read from a copy where there is one, by who has written nothing just now.
_replica = env.replica("DATABASE_REPLICA_URL", _database)
DATABASE_REPLICA_SECONDS = env.number("DATABASE_REPLICA_SECONDS", 10, at_least=1)
if _replica:
    DATABASES["replica"] = {**_database, **_replica, "TEST": {"MIRROR": "default"}}
    DATABASE_ROUTERS = ["users_profiles.replica.Router"]

CACHES = {"default": env.cache("CACHE_URL", "locmemcache://" if DEBUG else "dbcache://backoffice_cache")}

if _replica and CACHES["default"]["BACKEND"].endswith("LocMemCache"):
    stop("DATABASE_REPLICA_URL takes a cache that all processes share, to know who has just written; set CACHE_URL.")

# Uploads, avatars and exports are personal data: nothing below MEDIA_ROOT is served by address, only through views.
MEDIA_ROOT = DATA_DIR / "media"
STATIC_URL = "static/"
STATIC_ROOT = env.folder("STATIC_DIR", DATA_DIR / "static")
STORAGES: dict[str, Any] = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": MEDIA_ROOT, "base_url": None, "file_permissions_mode": 0o640},
    },
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
# Where a bucket of an S3-compatible service is named, they all lie there instead.
S3 = {
    "bucket_name": env.text("S3_BUCKET"),
    "endpoint_url": env.optional_address("S3_ENDPOINT_URL"),
    "region_name": env.text("S3_REGION", "us-east-1"),
    "access_key": env.text("S3_ACCESS_KEY_ID"),
    "secret_key": env.text("S3_SECRET_ACCESS_KEY"),
    "location": env.text("S3_FOLDER"),
    "timeout": env.number("S3_TIMEOUT", 10, at_least=1),
}
if S3["bucket_name"]:
    STORAGES["default"] = {"BACKEND": "users_profiles.storage.bucket.PrivateBucket", "OPTIONS": S3}
elif S3["endpoint_url"] or S3["access_key"]:
    stop("S3_BUCKET is not set; name the bucket that files are kept in, or none of the S3 settings.")
if bool(S3["access_key"]) != bool(S3["secret_key"]):
    stop("S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY go together; set both or, where the machine has a role, none.")
FILE_UPLOAD_PERMISSIONS = 0o640
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000

# Background work: a queue in the database or, where a server is named for it, on Redis.
TASKS: dict[str, Any] = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
TASKS_URL = env.queue("TASKS_URL")
if TASKS_URL:
    TASKS["default"] = {"BACKEND": "backoffice.redis_queue.RedisQueue", "QUEUES": ["default"]}
    # No time limit: what dies over an import loses its lease, and that is how others know.
    RQ_QUEUES = {"default": {"URL": TASKS_URL, "DEFAULT_TIMEOUT": -1, "SOCKET_CONNECT_TIMEOUT": 5}}
# How long it is known what the worker did; what went wrong may name people.
TASKS_KEEP_DAYS = env.number("TASKS_KEEP_DAYS", 14, at_least=1)

# Language and time --------------------------------------------------------------------------------------------------

# Each by its own name: who looks for theirs may not read the one the page is in.
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("fr", "Français"), ("es", "Español")]
# For who has chosen none and whose browser asks for none of these; mails have no browser to ask.
LANGUAGE_CODE = env.choice("DEFAULT_LANGUAGE", "en", dict(LANGUAGES).__contains__, "en, de, fr or es")
FORMAT_MODULE_PATH = ["backoffice.formats"]
USE_TZ = True
TIME_ZONE = env.choice("TIME_ZONE", "UTC", available_timezones().__contains__, "Europe/Berlin or UTC")

# Sign-in ------------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "users_profiles.User"
AUTHENTICATION_BACKENDS = ["users_profiles.accounts.adapter.SignInBackend"]
# A username is unique by a constraint of ours, without regard to case; the check looks for unique=True only.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
# A service that knows leaked passwords and is asked about every new one. None unless it is named.
BREACHED_PASSWORDS_URL = env.optional_address("BREACHED_PASSWORDS_URL")
if BREACHED_PASSWORDS_URL:
    AUTH_PASSWORD_VALIDATORS.append(
        {
            "NAME": "users_profiles.accounts.passwords.BreachedPasswordValidator",
            "OPTIONS": {"url": BREACHED_PASSWORDS_URL},
        }
    )
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
# How long a link that sets a password works, in seconds: an invitation sent on a Friday may be read a week later.
PASSWORD_RESET_TIMEOUT = 7 * 24 * 60 * 60

ACCOUNT_ADAPTER = "users_profiles.accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "users_profiles.account_forms.LoginForm",
    "signup": "users_profiles.account_forms.SignupForm",
    "add_email": "users_profiles.account_forms.AddEmailForm",
    "change_password": "users_profiles.account_forms.ChangePasswordForm",
    "set_password": "users_profiles.account_forms.SetPasswordForm",
    "reset_password": "users_profiles.account_forms.ResetPasswordForm",
    "reset_password_from_key": "users_profiles.account_forms.ResetPasswordKeyForm",
    "reauthenticate": "users_profiles.account_forms.ReauthenticateForm",
}
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*", "password2*"]
ACCOUNT_SIGNUP_REDIRECT_URL = "profile"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
# Who registers proves the address first; addresses.must_verify says why nobody else has to.
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
ACCOUNT_LOGIN_ON_PASSWORD_RESET = True
ACCOUNT_CHANGE_EMAIL = True  # one address a person; a new one replaces it once proven
ACCOUNT_REAUTHENTICATION_REQUIRED = True
# How old a sign-in may be, in seconds, when somebody changes who may do what, or the e-mail of staff; older ones prove
# again who they are.
REAUTHENTICATE_AFTER = env.number("REAUTHENTICATE_AFTER", 30, at_least=1) * 60
# allauth's own generator writes an unproven address for everybody who asks for a link.
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "django.contrib.auth.tokens.PasswordResetTokenGenerator"  # noqa: S105
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""  # the subjects name the product

# Who may register: nobody, unless REGISTRATION_OPEN is on; then everybody, or only addresses of these domains.
REGISTRATION_OPEN = env.flag("REGISTRATION_OPEN", default=False)
REGISTRATION_DOMAINS = [domain.lower() for domain in env.words("REGISTRATION_DOMAINS")]

# The second step at sign-in, for everybody who wants one; MFA_REQUIRED keeps the back office closed to staff without.
MFA_REQUIRED = env.flag("MFA_REQUIRED", default=False)
MFA_ADAPTER = "users_profiles.accounts.second_factor.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_TOLERANCE = 1  # the code before and the one after count, too: telephones are a few seconds off
# Who has not proven their address is not signed in; what allauth asks here is whether a change of it is under way.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_FORMS = {
    "authenticate": "users_profiles.account_forms.CodeForm",
    "reauthenticate": "users_profiles.account_forms.CodeAgainForm",
    "activate_totp": "users_profiles.account_forms.ActivateAppForm",
    "authenticate_webauthn": "users_profiles.account_forms.PasskeyForm",
    "login_webauthn": "users_profiles.account_forms.PasskeyAloneForm",
    "reauthenticate_webauthn": "users_profiles.account_forms.PasskeyAgainForm",
    "add_webauthn": "users_profiles.account_forms.AddPasskeyForm",
    "edit_webauthn": "users_profiles.account_forms.RenamePasskeyForm",
}

# Signing in by another service that speaks OpenID Connect: all of the first four, or none.
OIDC = {
    "name": env.text("OIDC_NAME"),
    "server_url": env.optional_address("OIDC_SERVER_URL"),
    "client_id": env.text("OIDC_CLIENT_ID"),
    "client_secret": env.text("OIDC_CLIENT_SECRET"),
}
env.all_or_none("OIDC", OIDC)
if OIDC["server_url"].startswith("http:") and not DEBUG:
    stop("OIDC_SERVER_URL does not begin with https://, so anybody on the way could sign in as anybody.")
OIDC_CREATE_PEOPLE = env.flag("OIDC_CREATE_PEOPLE", default=False)
OIDC_ROLE_CLAIM = env.text("OIDC_ROLE_CLAIM")
OIDC_ROLES = env.pairs("OIDC_ROLES", ("Reader", "Editor", "Admin"))
if bool(OIDC_ROLE_CLAIM) != bool(OIDC_ROLES):
    stop("OIDC_ROLE_CLAIM and OIDC_ROLES go together: the name of the claim, and what its values mean.")
SOCIALACCOUNT_ADAPTER = "users_profiles.accounts.single_sign_on.SingleSignOnAdapter"
# A link and not a form: form-action would have to name every host that the service itself leads people on to.
SOCIALACCOUNT_LOGIN_ON_GET = True

# Mail ---------------------------------------------------------------------------------------------------------------

_email = env.email("EMAIL_URL", "consolemail://" if DEBUG else "")
vars().update(_email)
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Backoffice <backoffice@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
EMAIL_SUBJECT_PREFIX = "[Backoffice] "  # mails to ADMIN_EMAILS about errors
EMAIL_TIMEOUT = env.number("EMAIL_TIMEOUT", 10, at_least=1)  # seconds; somebody may be waiting for the page
# The address in mails that a worker sends: it has no request to take it from.
BASE_URL = env.address("BASE_URL", "http://127.0.0.1:8000" if DEBUG else f"https://{ALLOWED_HOSTS[0].lstrip('.')}")

# Security -----------------------------------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],  # blob: previews a picture before it is uploaded
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
LANGUAGE_COOKIE_AGE = 365 * 24 * 60 * 60
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_HTTPONLY = True
SECURE_REFERRER_POLICY = "same-origin"
HTTPS = env.flag("HTTPS", default=not DEBUG)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
if env.flag("BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    ALLAUTH_TRUSTED_PROXY_COUNT = 1  # else every attempt to sign in counts against the proxy's address
ADMINS = [("Operator", address) for address in env.words("ADMIN_EMAILS")]

# Import and export --------------------------------------------------------------------------------------------------

IMPORT_EXPORT_IMPORT_PERMISSION_CODE = "import"
IMPORT_EXPORT_EXPORT_PERMISSION_CODE = "export"

# The country that a phone number without a country code is taken to be from (two letters).
PHONE_DEFAULT_REGION = env.choice(
    "PHONE_DEFAULT_REGION", "US", phonenumbers.SUPPORTED_REGIONS.__contains__, "US, GB or DE"
)
# Overrides of the role table, see users_profiles/roles.py: {"Reader": {"own_fields": ["bio"]}}.
USERS_PROFILES_ROLES: dict[str, dict[str, object]] = {}

# Limits of one import file; each has a message that names it.
IMPORT_MAX_BYTES = env.number("IMPORT_MAX_MB", 200, at_least=1) * 1024 * 1024
IMPORT_MAX_UNPACKED_BYTES = env.number("IMPORT_MAX_UNPACKED_MB", 1_000, at_least=1) * 1024 * 1024
IMPORT_MAX_ROWS = env.number("IMPORT_MAX_ROWS", 1_000_000, at_least=1)
IMPORT_MAX_COLUMNS = env.number("IMPORT_MAX_COLUMNS", 200, at_least=1)
IMPORT_MAX_CELL = env.number("IMPORT_MAX_CELL", 10_000, at_least=1)
# A file that would deactivate more of the people it should name than this needs their number typed to confirm.
IMPORT_RECONCILE_SHARE = env.number("IMPORT_RECONCILE_PERCENT", 10) / 100
# Files up to this many rows are checked and applied while the person waits; longer ones by the worker.
IMPORT_SYNC_ROWS = env.number("IMPORT_SYNC_ROWS", 2_000)
# The same of a ZIP archive of pictures: the most files in one, and how many are drawn while the person waits.
IMPORT_MAX_PICTURES = env.number("IMPORT_MAX_PICTURES", 10_000, at_least=1)
IMPORT_SYNC_PICTURES = env.number("IMPORT_SYNC_PICTURES", 40)
# How long what an import leaves behind is kept; users_profiles/transfer/retention.py says what goes and what stays.
IMPORT_KEEP_PREVIEWS_HOURS = env.number("IMPORT_KEEP_PREVIEWS_HOURS", 48, at_least=1)
IMPORT_KEEP_FILES_DAYS = env.number("IMPORT_KEEP_FILES_DAYS", 30, at_least=1)
IMPORT_KEEP_ROWS_DAYS = env.number("IMPORT_KEEP_ROWS_DAYS", 365, at_least=1)

# Up to so many people are sent while the person waits; more of them are put into a file by the worker.
EXPORT_SYNC_ROWS = env.number("EXPORT_SYNC_ROWS", 50_000)
# How long such a file can be downloaded. That it was made, and of whom, stays in the list of exports.
EXPORT_KEEP_DAYS = env.number("EXPORT_KEEP_DAYS", 7, at_least=1)

# Reports --------------------------------------------------------------------------------------------------------------

# So many people are printed as a directory; of more of them the page asks for fewer.
DIRECTORY_MAX_PEOPLE = env.number("DIRECTORY_MAX_PEOPLE", 2_000, at_least=1)

# Trail ----------------------------------------------------------------------------------------------------------------

AUDITLOG_LOGENTRY_MODEL = "users_profiles.TrailEntry"
MIGRATION_MODULES = {"auditlog": None}  # they make the one table that ours stands in for
# How long it is known who did what to whom. What imports did is kept as long as their rows, see above.
TRAIL_KEEP_YEARS = env.number("TRAIL_KEEP_YEARS", 10, at_least=1)

# Figures --------------------------------------------------------------------------------------------------------------

# Up to so many people are counted for each look at the dashboard; more of them by the worker, and the page says when.
FIGURES_SYNC_PEOPLE = env.number("FIGURES_SYNC_PEOPLE", 5_000)
# How old what the worker has counted may be, in seconds, before a look at the dashboard has it counted anew.
FIGURES_SECONDS = env.number("FIGURES_SECONDS", 60, at_least=1)

# Metrics ------------------------------------------------------------------------------------------------------------

# What a program that collects figures has to know. Without it there are none.
METRICS_TOKEN = env.text("METRICS_TOKEN")
if METRICS_TOKEN:
    if len(METRICS_TOKEN) < 20:
        stop("METRICS_TOKEN is too short to be a secret; use at least 20 random characters.")
    # The library asks for it in the environment, when it is imported.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(env.folder("METRICS_DIR", DATA_DIR / "metrics"))
    MIDDLEWARE.insert(1, "django_prometheus.middleware.PrometheusBeforeMiddleware")
    MIDDLEWARE.append("users_profiles.operations.metrics.CountRequests")

# Log ----------------------------------------------------------------------------------------------------------------

LOG_LEVEL = env.choice(
    "LOG_LEVEL", "INFO", {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}.__contains__, "INFO or WARNING"
)
# Lines to read, or objects for a program that collects them; users_profiles/logs.py says what is in them.
LOG_FORMAT = env.choice("LOG_FORMAT", "line", {"line", "json"}.__contains__, "line or json")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "users_profiles.logs.Line",
            "format": "{asctime} {levelname} {name}{known}: {message}",
            "style": "{",
        },
        "json": {"()": "users_profiles.logs.Json"},
    },
    "filters": {"for_real": {"()": "django.utils.log.RequireDebugFalse"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT},
        "mail_admins": {
            "class": "django.utils.log.AdminEmailHandler",
            "level": "ERROR",
            "filters": ["for_real"],
        },
    },
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": ["mail_admins"]},  # Django's own way to the console would say everything twice
        "django.utils.autoreload": {"level": "WARNING"},  # it prints the same itself
        "django.security.DisallowedHost": {"level": "CRITICAL"},  # every scanner would fill a page
    },
}
