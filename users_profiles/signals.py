"""The guarantee: every user has a profile, however the user came to be."""

from typing import Any

from django.db.models.signals import post_save
from django.dispatch import receiver

from users_profiles.models import Profile, User


@receiver(post_save, sender=User, dispatch_uid="users_profiles.keep_profile")
def keep_profile(
    sender: type[User],
    instance: User,
    created: bool,
    raw: bool,
    using: str,
    update_fields: frozenset[str] | None,
    **kwargs: Any,
) -> None:
    """Create the profile of a new user; save pending edits on the loaded profile of any other.

    Raw saves (``loaddata``) are handled too, because a fixture may carry users without profiles. It may also carry the
    profile, before the user or after: the shared key makes both orders meet in one row, which is why a row that is
    there already is left alone. A save of named fields, such as the one at each sign-in, never touches the profile.
    """
    loaded = None if raw else instance._state.fields_cache.get("profile")
    if loaded is not None and update_fields is None:
        loaded.user_id = instance.pk  # a profile attached before the user had a key
        loaded.save_changes(using=using)
    elif created:
        Profile.objects.using(using).get_or_create(user_id=instance.pk)
