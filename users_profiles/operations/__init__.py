"""For those who run it: whether it is well (health), how much there is to do (metrics), and a copy of it all (backups).

``probes`` is the way in for programs that watch; docs/operations.md is written for the people behind them.
"""
