"""The data: people, their profiles, and what brings and takes them: imports, exports, reports."""

from users_profiles.models.errands import Errand
from users_profiles.models.exports import Export
from users_profiles.models.figures import Snapshot
from users_profiles.models.jobs import Import, ImportRow, Worker
from users_profiles.models.lists import ListColumns
from users_profiles.models.mails import Invitation, Mail
from users_profiles.models.pictures import ImportPicture
from users_profiles.models.profile import Profile
from users_profiles.models.reports import Delivery, Report
from users_profiles.models.search import SearchNote, SearchText
from users_profiles.models.trail import Road, TrailEntry
from users_profiles.models.user import Role, User

__all__ = [
    "Delivery",
    "Errand",
    "Export",
    "Import",
    "ImportPicture",
    "ImportRow",
    "Invitation",
    "ListColumns",
    "Mail",
    "Profile",
    "Report",
    "Road",
    "Role",
    "SearchNote",
    "SearchText",
    "Snapshot",
    "TrailEntry",
    "User",
    "Worker",
]
