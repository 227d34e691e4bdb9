"""People in and out of files.

    intake -> reader -> cleaning (columns, values) -> importer (people: match; gate: may they) -> writer (bulk)
    lease and tasks keep it going; reconcile, invitees and retention come after; export/ goes the other way

What was refused comes back in a file (refused) or from the page (mending). What was done is taken back by one set of
rules (undo_rules), whether an import did it (undo_import) or somebody in the list of people (undo_action).

django-import-export declares the columns, its widgets clean and render them, and it gives the admin its buttons,
permissions and formats. Its own data path holds a whole file in memory and saves row by row, so the path between
reader and database is ours and works in chunks.
"""
