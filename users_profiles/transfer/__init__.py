"""People in and out of files.

    reader -> columns (clean) -> importer (match, diff) -> writer          exporter <- columns

django-import-export declares the columns, its widgets clean and render them, and it gives the admin its buttons,
permissions and formats. Its own data path holds a whole file in memory and saves row by row, so the path between
reader and database is ours and works in chunks.
"""
