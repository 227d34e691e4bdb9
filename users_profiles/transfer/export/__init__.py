"""People out of the database into a file, streamed: memory does not grow with the number of rows.

    wanted (whom, which columns, may they) -> cells (columns as the database writes them) -> source (rows in chunks),
    or changed (what changed of them)
    -> formats, xlsx (chunks become bytes) -> sending (to somebody who waits) or making (a file, by the worker)

The database itself writes the cells as text, marked where a spreadsheet would run them: what is left for us to do
per row is next to nothing.
"""
