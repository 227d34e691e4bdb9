"""The start with settings that are missing or silly, and what the sound ones come to."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from django.db import connection

from tests.production import SOUND, manage


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a management command as production would."""
    return partial(manage, tmp_path)


@pytest.mark.parametrize(
    ("silly", "sentence"),
    [
        ({"DEBUG": "maybe"}, "DEBUG is 'maybe'"),
        ({"SECRET_KEY": ""}, "SECRET_KEY is not set"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY is too weak"),
        ({"SECRET_KEY": "a" * 80}, "SECRET_KEY is too weak"),
        ({"SECRET_KEY": "development-only-" * 4}, "SECRET_KEY is too weak"),
        ({"ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS is not set"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS is '*'"),
        ({"ALLOWED_HOSTS": "https://people.example.com"}, "ALLOWED_HOSTS has 'https://people.example.com'"),
        ({"ALLOWED_HOSTS": "people.example.com:8000"}, "ALLOWED_HOSTS has 'people.example.com:8000'"),
        ({"CSRF_TRUSTED_ORIGINS": "people.example.com"}, "CSRF_TRUSTED_ORIGINS has 'people.example.com'"),
        ({"BASE_URL": "people"}, "BASE_URL has 'people'"),
        ({"HTTPS": "sure"}, "HTTPS is 'sure'"),
        ({"DATABASE_URL": "nonsense"}, "DATABASE_URL must be an address"),
        ({"DATABASE_URL": "mysql://user:hunter2@host/people"}, "DATABASE_URL must be an address"),
        ({"DATABASE_URL": "postgres://user:hunter2@host"}, "DATABASE_URL names no database"),
        ({"DATABASE_URL": "postgres://user:hunter2@host:port/people"}, "DATABASE_URL is not an address"),
        ({"DATABASE_URL": "sqlite://:memory:"}, "DATABASE_URL names no database"),
        ({"DATABASE_URL": "sqlite:////no/such/folder/people.sqlite3"}, "DATABASE_URL names a file in a folder"),
        ({"DATABASE_URL": "postgres://host/people", "DATABASE_CONN_MAX_AGE": "-1"}, "DATABASE_CONN_MAX_AGE is '-1'"),
        ({"CACHE_URL": "nonsense"}, "CACHE_URL must be an address"),
        ({"CACHE_URL": "dbcache://"}, "CACHE_URL names no table"),
        ({"EMAIL_URL": ""}, "EMAIL_URL is not set"),
        ({"EMAIL_URL": "carrier-pigeon://hunter2"}, "EMAIL_URL must be an address"),
        ({"EMAIL_URL": "smtp://"}, "EMAIL_URL names no host"),
        ({"TIME_ZONE": "Middle/Earth"}, "TIME_ZONE is 'Middle/Earth'"),
        ({"DEFAULT_LANGUAGE": "tlh"}, "DEFAULT_LANGUAGE is 'tlh'"),
        ({"PHONE_DEFAULT_REGION": "XX"}, "PHONE_DEFAULT_REGION is 'XX'"),
        ({"LOG_LEVEL": "shout"}, "LOG_LEVEL is 'shout'"),
        ({"LOG_FORMAT": "poem"}, "LOG_FORMAT is 'poem'"),
        ({"METRICS_TOKEN": "hunter2"}, "METRICS_TOKEN is too short"),
        ({"IMPORT_MAX_ROWS": "0"}, "IMPORT_MAX_ROWS is '0'"),
        ({"IMPORT_MAX_MB": "many"}, "IMPORT_MAX_MB is 'many'"),
        ({"MFA_REQUIRED": "perhaps"}, "MFA_REQUIRED is 'perhaps'"),
        ({"REAUTHENTICATE_AFTER": "0"}, "REAUTHENTICATE_AFTER is '0'"),
        ({"BREACHED_PASSWORDS_URL": "pwned"}, "BREACHED_PASSWORDS_URL has 'pwned'"),
        ({"OIDC_CLIENT_SECRET": "hunter2"}, "OIDC_NAME is not set; set all of OIDC_NAME"),
        (
            {"OIDC_NAME": "x", "OIDC_SERVER_URL": "login", "OIDC_CLIENT_ID": "x", "OIDC_CLIENT_SECRET": "hunter2"},
            "OIDC_SERVER_URL has 'login'",
        ),
        (
            {"OIDC_NAME": "x", "OIDC_SERVER_URL": "http://x", "OIDC_CLIENT_ID": "x", "OIDC_CLIENT_SECRET": "hunter2"},
            "OIDC_SERVER_URL does not begin with https://",
        ),
        ({"OIDC_ROLES": "hr=Owner", "OIDC_ROLE_CLAIM": "x"}, "OIDC_ROLES has 'hr=Owner'"),
        ({"OIDC_ROLES": "Editor", "OIDC_ROLE_CLAIM": "x"}, "OIDC_ROLES has 'Editor'"),
        ({"OIDC_ROLE_CLAIM": "groups"}, "OIDC_ROLE_CLAIM and OIDC_ROLES go together"),
        ({"DATABASE_REPLICA_URL": "postgres://hunter2@x/y"}, "DATABASE_REPLICA_URL names a read replica"),
        (
            {"DATABASE_REPLICA_URL": "postgres://x/y", "DATABASE_URL": "postgres://x/y", "CACHE_URL": "locmemcache://"},
            "DATABASE_REPLICA_URL takes a cache that all processes share",
        ),
        ({"WEB_PROCESSES": "many"}, "WEB_PROCESSES is 'many'"),
        ({"TASKS_URL": "amqp://hunter2@x"}, "TASKS_URL must be the address of a Redis server"),
        ({"S3_ENDPOINT_URL": "https://s3.example.com"}, "S3_BUCKET is not set"),
        (
            {"S3_BUCKET": "x", "S3_SECRET_ACCESS_KEY": "hunter2"},
            "S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY go together",
        ),
        ({"S3_BUCKET": "x", "S3_TIMEOUT": "0"}, "S3_TIMEOUT is '0'"),
        ({"DATA_DIR": "/dev/null/data"}, "DATA_DIR is '/dev/null/data'"),
    ],
    ids=lambda value: (
        None if isinstance(value, str) else " ".join(f"{name}={text[:30]}" for name, text in value.items())
    ),
)
def test_a_silly_setting_stops_the_start_with_one_sentence(
    start: Callable[..., subprocess.CompletedProcess[str]], silly: dict[str, str], sentence: str
) -> None:
    ended = start("check", **{**SOUND, **silly})
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"Backoffice cannot start: {sentence}")
    assert ended.stderr.count("\n") == 1
    assert "hunter2" not in ended.stderr


def test_production_settings_pass_every_deployment_check(
    start: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    ended = start("check", "--deploy", "--fail-level", "INFO", **SOUND, MFA_REQUIRED="on")
    assert ended.returncode == 0, ended.stderr
    assert "no issues (1 silenced)" in ended.stdout  # auth.W004: see the setting


def test_a_deployment_check_warns_where_a_password_alone_opens_the_back_office(
    start: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    ended = start("check", "--deploy", **SOUND)
    assert ended.returncode == 0
    assert "MFA_REQUIRED is off" in ended.stderr


def test_a_sign_in_service_is_one_with_all_of_its_settings(
    start: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    service = {
        "OIDC_NAME": "Example",
        "OIDC_SERVER_URL": "https://login.example.com/",
        "OIDC_CLIENT_ID": "backoffice",
        "OIDC_CLIENT_SECRET": "$ecret",
        "OIDC_ROLE_CLAIM": "groups",
        "OIDC_ROLES": "cn=hr=Editor,it=Admin",
    }
    command = "from django.conf import settings; print(settings.OIDC, settings.OIDC_ROLES)"
    printed = start("shell", "-v0", "-c", command, **SOUND, **service)
    assert "'server_url': 'https://login.example.com'" in printed.stdout
    assert "{'cn=hr': 'Editor', 'it': 'Admin'}" in printed.stdout, printed.stderr


def test_debug_needs_nothing_else(start: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    assert start("check", DEBUG="on").returncode == 0


def test_a_secret_may_begin_with_a_dollar_sign(start: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    secret = "$" + SOUND["SECRET_KEY"]
    printed = start(
        "shell",
        "-v0",
        "-c",
        "from django.conf import settings; print(settings.SECRET_KEY)",
        **SOUND | {"SECRET_KEY": secret},
    )
    assert printed.stdout.strip() == secret


def test_the_environment_wins_over_the_dotenv_file(
    start: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    dotenv = tmp_path / "settings.env"
    dotenv.write_text("TIME_ZONE=Europe/Lisbon\nPHONE_DEFAULT_REGION=PT\n")
    command = "from django.conf import settings; print(settings.TIME_ZONE, settings.PHONE_DEFAULT_REGION)"
    printed = start("shell", "-v0", "-c", command, ENV_FILE=str(dotenv), TIME_ZONE="Asia/Tokyo", **SOUND)
    assert printed.stdout.strip() == "Asia/Tokyo PT"


def test_migrate_alone_makes_the_table_of_the_shared_cache(
    migrated: None, start: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    command = "from django.core.cache import cache; cache.add('tries', 1); print(cache.incr('tries'))"
    for tries in ("2", "3"):  # two processes, one count: a limit that each process counts alone is none
        assert start("shell", "-v0", "-c", command, **SOUND).stdout.strip() == tries


def test_every_page_works_with_production_settings(
    migrated: None, start: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    """Hashed static files are the trap: a template that names one that does not exist fails here and nowhere else."""
    collected = start("collectstatic", "--noinput", "-v0", **SOUND)
    assert collected.returncode == 0, collected.stderr
    script = """
from django.test import Client
from django.urls import reverse
from users_profiles.models import User
root = User.objects.create_superuser("root", "root@example.com", "x")
ada = User.objects.create_user("ada")
as_root, as_nobody = Client(), Client()
as_root.force_login(root)
names = ["admin:index", "profile", "profile_edit", "account_change_password", "admin:auth_group_changelist"]
names += ["admin:users_profiles_" + page for page in ("user_changelist", "user_add")]
names += ["admin:users_profiles_user_" + page for page in ("import", "export")]
names += ["mfa_index", "mfa_add_webauthn", "mfa_activate_totp", "usersessions_list"]
pages = [reverse(name) for name in names]
pages += [reverse("admin:users_profiles_user_" + page, args=[ada.pk]) for page in ("change", "history", "delete")]
pages = [(as_root, page) for page in pages]
pages += [(as_nobody, reverse(name)) for name in ("account_login", "account_signup", "account_reset_password")]
for client, page in pages:
    response = client.get(page, headers={"host": "people.example.com"}, secure=True)
    print(response.status_code, page)
"""
    shown = start("shell", "-v0", "-c", script, **SOUND)
    lines = shown.stdout.splitlines()
    assert len(lines) == 19, shown.stderr
    assert [line for line in lines if not line.startswith("200 ")] == []


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite's own settings")
def test_sqlite_is_set_up_for_many_processes() -> None:
    with connection.cursor() as cursor:
        pragmas = {}
        for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys"):
            cursor.execute(f"PRAGMA {name}")
            pragmas[name] = cursor.fetchone()[0]
    assert pragmas == {"journal_mode": "wal", "synchronous": 1, "busy_timeout": 30_000, "foreign_keys": 1}
    assert connection.settings_dict["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


def test_f5_six_writers_at_once_never_find_sqlite_locked(
    migrated: None, start: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    """Read and then write in one transaction, 6 processes with 100 each: security check F5."""
    command = """
from django.db import transaction
from users_profiles.models import User
import os
for number in range(100):
    with transaction.atomic():
        User.objects.count()
        User.objects.create(username=f"{os.getpid()}-{number}")
print("done")
"""
    with ThreadPoolExecutor(6) as pool:
        ended = list(pool.map(lambda _: start("shell", "-v0", "-c", command, DEBUG="on"), range(6)))
    assert [(writer.stdout.strip(), writer.stderr) for writer in ended] == [("done", "")] * 6
    count = "from users_profiles.models import Profile; print(Profile.objects.count())"
    assert start("shell", "-v0", "-c", count, DEBUG="on").stdout.strip() == "600"
