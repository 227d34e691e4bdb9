"""One text search over people and their profiles, by whatever part of a word.

    texts (what one person is found by) -> settling (the texts, kept up to date); ordering looks after the folded names
    wanted (what somebody types) -> asking (the condition on people); tables is what only one of the databases knows

There is one folded text per person, with an index over every three letters of it. Writing that index costs several
times as much as writing the person, so nobody waits for it: triggers note who is new or changed, a search looks at
those one by one beside the index, and the worker settles them in the background. What is found is exact at any moment,
but for a while after a large import: of those whom it wrote a search looks at ten thousand, and the list says how many
may not be found yet.
"""

from users_profiles.search.asking import matches, not_yet
from users_profiles.search.texts import FIELDS_OF_USER

__all__ = ["FIELDS_OF_USER", "matches", "not_yet"]
