"""A small company in which every page has something to show, and an import in every state."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from uuid import UUID

from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth.models import Group
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse

from tests.admin_pages import act
from tests.archives import BLUE, RED, zipped
from tests.data import images
from tests.reporting import saved
from users_profiles import invitations, roles
from users_profiles.models import Export, Import, Report, Road, Role, TrailEntry, User
from users_profiles.reports import mailing
from users_profiles.transfer import intake, pictures, tasks
from users_profiles.transfer.export import making
from users_profiles.transfer.export.sending import Sending
from users_profiles.transfer.export.wanted import Wanted

FILE = """username;E-mail;Vorname;Nachname;Ort;Telefon;Notiz
ada;ada@example.com;Ada;Lovelace;Paris;;same person, new place
grace;grace@example.com;Grace;Hopper;New York;+12125550123;as she was
linus;linus@example.com;Linus;Torvalds;Helsinki;+358401234567;new
{long};nonsense;Bad;E-mail;Berlin;call me;two mistakes
"""


@dataclass
class Company:
    """Who signs in, and what there is to look at."""

    superuser: User
    reader: User
    member: User
    without_password: User
    secured: User  # has a second factor of every kind, and a role that takes one where the setting demands it
    ada: User
    jobs: dict[str, Import] = field(default_factory=dict)
    exports: dict[str, Export] = field(default_factory=dict)
    reports: dict[str, Report] = field(default_factory=dict)
    mark: UUID | None = None  # of a list action that can be undone
    password_link: str = ""
    confirm_link: str = ""


def found(superuser: User, make_person: Callable[..., User]) -> Company:
    """Make the company. ``make_person`` is the fixture."""
    company = Company(
        superuser=superuser,
        reader=make_person("rita", role=Role.READER, first_name="Rita", last_name="Reader"),
        member=make_person("stan", first_name="Stan", last_name="Stranger"),
        without_password=make_person("newcomer", email=""),
        secured=make_person("sam", role=Role.READER, first_name="Sam", last_name="Secured"),
        ada=make_person("ada", role=Role.EDITOR, first_name="Ada", last_name="Lovelace", location="London"),
    )
    company.without_password.set_unusable_password()
    company.without_password.save()
    _secure(company.secured)
    Group.objects.create(name="Choir")
    _fill(company, make_person)
    _import(company)
    _import_pictures(company)
    _export(company)
    _report(company)
    _change_something(company)
    company.password_link = invitations.password_link(company.member)
    address = EmailAddress.objects.create(user=company.member, email="stan@new.example.com")
    company.confirm_link = reverse("account_confirm_email", args=[EmailConfirmationHMAC(address).key])
    return company


def _secure(person: User) -> None:
    TOTP.activate(person, generate_totp_secret())
    RecoveryCodes.activate(person)
    passkey = json.loads((Path(__file__).parent.parent / "data/passkey.json").read_text())  # one that Chromium made up
    Authenticator.objects.create(user=person, type=Authenticator.Type.WEBAUTHN, data=passkey)


def _fill(company: Company, make_person: Callable[..., User]) -> None:
    profile = company.ada.profile
    profile.bio = "Wrote the first program.\nThen some notes on it."
    profile.birth_date = date(1990, 12, 10)
    profile.phone_number = "+442071234567"
    profile.avatar.save("ada.png", ContentFile(images.picture(size=(300, 300))))
    make_person("grace", first_name="Grace", last_name="Hopper", location="New York", phone_number="+12125550123")
    make_person("taro.sato", first_name="太郎", last_name="佐藤", location="東京", is_active=False)
    make_person(
        "a" * 60,
        email=f"{'e' * 50}@{'long' * 12}.example.com",
        first_name="Maximiliane-Wilhelmine",
        last_name="von der Schmidt-Hohenzollern-Lichtenstein",
        location="Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch, Wales",
    )
    for number in range(12):  # more than fit one page of the list, as it is cut for tests of pages
        make_person(f"person{number:02}", first_name=f"Number{number:02}", location="Berlin")


def _import(company: Company) -> None:
    content = FILE.format(long="x" * 80).encode()
    for state in ("uploaded", "checking", "checked", "done", "failed"):
        job = intake.receive(ContentFile(content), f"{state}-{'long-name-' * 6}.csv", company.superuser)
        company.jobs[state] = job
        if state != "uploaded":
            job.start_check()
    company.jobs["checking"].take_lease("somebody")
    company.jobs["failed"].fail("The disk is full.")
    tasks.start(company.jobs["checked"])
    done = company.jobs["done"]
    for begins in (Import.start_apply, lambda job: job.start_undo(company.superuser, write=False)):
        tasks.start(done)
        done.refresh_from_db()
        assert begins(done)
    tasks.start(done)  # finds out what an undo would do
    done.refresh_from_db()


def _import_pictures(company: Company) -> None:
    archive = zipped({"ada.png": RED, "Berlin/grace.png": BLUE, "nobody.png": RED})
    for state in ("pictures checked", "pictures done"):
        job = pictures.receive(ContentFile(archive), "team.zip", company.superuser)
        company.jobs[state] = job
        job.start_check()
        tasks.start(job)
        job.refresh_from_db()
    company.jobs["pictures done"].start_apply()
    tasks.start(company.jobs["pictures done"])
    company.jobs["pictures done"].refresh_from_db()


def _export(company: Company) -> None:
    for state in ("making", "done", "broken", "failed", "cancelled"):
        export = Wanted(company.superuser, "q=a&active=yes").entry(53)
        company.exports[state] = export
        if state == "broken":
            Sending(export).close()
            continue
        export.start_making()
        if state == "done":
            making.run(export)
        elif state == "making":
            export.take_lease("somebody")
    company.exports["failed"].fail("The disk is full.")
    company.exports["cancelled"].cancel()


def _report(company: Company) -> None:
    private = ["username", "location", "phone_number"]
    company.reports = {
        "people": saved(
            company.superuser, "Fire wardens", [company.ada, company.reader], columns=private, sharing="staff"
        ),
        "changes": saved(company.superuser, "What changed", kind="changes", columns=private),
        "nobody": saved(company.superuser, "Nobody", query="q=zzz"),
        "private": saved(company.superuser, "Birthdays", query="birthday=3", sharing="staff"),
    }
    mailing.send_due()


def _change_something(company: Company) -> None:
    """So that the histories have entries."""
    client = Client()
    client.force_login(company.superuser)
    address = reverse("admin:users_profiles_user_send_link", args=[company.ada.pk])
    assert client.post(address).status_code == 302
    some = list(User.objects.filter(username__in=["grace", "taro.sato"]).order_by("pk"))
    act(client, "set_role", some, confirmed="1", role=Role.READER.value)
    company.mark = UUID(TrailEntry.objects.filter(road=Road.ACTION, object_id=some[0].pk).latest("pk").cid)
    roles.assign(some[:1], Role.EDITOR)  # so that there is somebody whom an undo leaves alone
