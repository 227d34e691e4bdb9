"""A company at work while its servers are shot: two web processes and two workers on one PostgreSQL.

``site`` runs them as production does, ``actors`` are the staff who use them through real sockets, ``chaos`` kills
processes with -9 and cuts connections, ``oracle`` says afterwards whether anything was lost, doubled or left half done,
and ``report`` what it was like for those who used it. ``make soak`` runs it for as long as you like, the test beside
this file for a short while.
"""
