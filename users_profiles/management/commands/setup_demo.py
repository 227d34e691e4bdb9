import os
import secrets
import socket
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from users_profiles.demo.people import COMPANY_SIZE
from users_profiles.demo.seed import seed_people
from users_profiles.models import User

ADMIN = "admin"
HOST = "127.0.0.1"


class Command(BaseCommand):
    help = (
        "Make this machine ready to try Backoffice: migrations, a demo company when there are no people yet, and the "
        "account 'admin'. Run again it changes nothing. What `make run` calls before it starts web and worker."
    )
    requires_system_checks: list[str] = []  # the tables they may ask about are made here; runserver checks again

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", default="8000", help="where the web server will listen (default: %(default)s)")

    def handle(self, *args: Any, port: str, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("this is for trying things out and needs DEBUG=on; README.md says how to run for real.")
        self._check_port(port)
        call_command("migrate", verbosity=0)
        if not User.objects.exists():
            self.stdout.write("Making up a company to try things with ...")
            seed_people(COMPANY_SIZE, seed=1, today=timezone.now().date())
        self._greet(port, self._admin_password())

    def _check_port(self, port: str) -> None:
        """Say now what is wrong with the port, before anything is made, and not from inside the web server's log."""
        if not port.isdigit() or not 0 < int(port) < 65536:
            raise CommandError(f"PORT is {port!r}; write a number from 1 to 65535.")
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does: a port just freed is free
            try:
                probe.bind((HOST, int(port)))
            except OSError as error:
                raise CommandError(
                    f"port {port} cannot be used ({error.strerror}). Stop what listens there, or choose another: "
                    f"make run PORT={int(port) % 65535 + 1}"
                ) from error

    def _admin_password(self) -> str:
        """Create the admin or, where ADMIN_PASSWORD says so, reset it. Return a password only when it is a new one."""
        chosen = os.environ.get("ADMIN_PASSWORD", "")
        admin = User.objects.filter(username=ADMIN).first()
        if admin is not None and not chosen:
            return ""
        password = chosen or secrets.token_urlsafe(12)
        if admin is None:
            User.objects.create_superuser(ADMIN, "admin@example.com", password, first_name="Demo", last_name="Admin")
        else:
            admin.set_password(password)
            admin.save(update_fields=["password"])
        return "" if chosen else password

    def _greet(self, port: str, password: str) -> None:
        known = "the password you set" if os.environ.get("ADMIN_PASSWORD") else "the password shown at the first start"
        own = f"http://{HOST}:{port}"
        advice = f"   (BASE_URL={own} has them lead here; `make run PORT={port}` does so)"
        lines = [
            f"Backoffice    {own}/admin/",
            f"Sign in as    {ADMIN}",
            f"Password      {password}   (shown only this once)" if password else f"Password      {known}",
            f"Mails lead to {settings.BASE_URL}/{advice if own != settings.BASE_URL else ''}",
            "Another one   ADMIN_PASSWORD=... make run",
            "Stop          Ctrl-C",
        ]
        self.stdout.write("\n" + "\n".join(f"  {line}" for line in lines) + "\n\n")
