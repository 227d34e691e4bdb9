"""One's own password again, before an import, or its undoing, changes access, and before somebody is deleted."""

from __future__ import annotations

from django.http import HttpRequest

from users_profiles.accounts.proving import ProvesIdentity, ProvesIdentityToDelete
from users_profiles.models import Import
from users_profiles.transfer.options import Options


def changes_access(job: Import) -> bool:
    """Whether a file can give roles, or let people in and out."""
    options = Options.from_json(job.options)
    return bool(options.roster) or not options.fields.isdisjoint({"role", "is_active"})


def asked_of(request: HttpRequest, job: Import) -> ProvesIdentity | None:
    """The field for the password, for a page with the button; None where nothing is worth asking for it."""
    return ProvesIdentity(request=request, label_suffix="") if changes_access(job) else None


def objection(request: HttpRequest, job: Import) -> str:
    """Why a request is not followed: the sign-in is old, and the proof is missing or wrong. Empty when all is well."""
    if not changes_access(job):
        return ""
    return _first_error(ProvesIdentity(request.POST, request=request))


def asked_to_delete(request: HttpRequest) -> ProvesIdentity:
    """The same field, before somebody is deleted; the form is empty right after one has signed in."""
    return ProvesIdentityToDelete(request=request, label_suffix="")


def objection_to_deleting(request: HttpRequest) -> str:
    """Why nobody is deleted; empty when all is well."""
    return _first_error(ProvesIdentityToDelete(request.POST, request=request))


def _first_error(form: ProvesIdentity) -> str:
    errors = [error for errors in form.errors.values() for error in errors]
    return str(errors[0]) if errors else ""
