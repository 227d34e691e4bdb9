"""Saved reports: questions about people that are asked again.

    running (who may have what of it) -> looking (pages on the web) and, through transfer.export, files
    schedule (when it is due) -> mailing (takes on what is due, has the files made, sends the mails)

A report lends nobody the eyes of its owner: whoever runs it, or is mailed it, gets a file of their own, made with
their own rights. That needs no rule for sharing files, and the ledger of exports says who got what.
"""
