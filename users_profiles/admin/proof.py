"""One's own password again, before an import, or its undoing, changes access, and before somebody is deleted."""

from __future__ import annotations

from django.http import HttpRequest

from users_profiles.accounts import identity
from users_profiles.accounts.proving import ProvesIdentity, ProvesIdentityForPeople, ProvesIdentityToDelete
from users_profiles.models import Import, ImportRow
from users_profiles.transfer.options import Options


def changes_access(job: Import) -> bool:
    """Whether a file can give roles, let people in and out, or have the password links of staff sent elsewhere."""
    options = Options.from_json(job.options)
    if options.roster or not options.fields.isdisjoint({"role", "is_active"}):
        return True
    if "email" not in options.fields:
        return False
    changed = job.rows.filter(outcome__in=(ImportRow.Outcome.UPDATED, ImportRow.Outcome.OVERTAKEN))
    return changed.filter(changes__has_key="email", user__is_staff=True).exists()


def asked_of(request: HttpRequest, job: Import) -> ProvesIdentity | None:
    """The field for the password, for a page with the button; None where nothing is worth asking for it."""
    if identity.is_fresh(request) or not changes_access(job):
        return None
    return ProvesIdentityForPeople(request=request, label_suffix="")


def objection(request: HttpRequest, job: Import) -> str:
    """Why a request is not followed: the sign-in is old, and the proof is missing or wrong. Empty when all is well."""
    if identity.is_fresh(request) or not changes_access(job):
        return ""
    return _first_error(ProvesIdentityForPeople(request.POST, request=request))


def asked_to_delete(request: HttpRequest) -> ProvesIdentity:
    """The same field, before somebody is deleted; the form is empty right after one has signed in."""
    return ProvesIdentityToDelete(request=request, label_suffix="")


def objection_to_deleting(request: HttpRequest) -> str:
    """Why nobody is deleted; empty when all is well."""
    return _first_error(ProvesIdentityToDelete(request.POST, request=request))


def _first_error(form: ProvesIdentity) -> str:
    errors = [error for errors in form.errors.values() for error in errors]
    return str(errors[0]) if errors else ""
