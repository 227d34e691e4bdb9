"""The data: people, their profiles, and the imports that brought them."""

from users_profiles.models.jobs import Import, ImportRow, Worker
from users_profiles.models.pictures import ImportPicture
from users_profiles.models.profile import Profile
from users_profiles.models.user import Role, User

__all__ = ["Import", "ImportPicture", "ImportRow", "Profile", "Role", "User", "Worker"]
