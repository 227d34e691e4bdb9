"""How fast people move in and out, measured beside the stock library and beside the bare database in one run.

``make bench`` prints a table. Absolute figures depend on the machine and its mood; the ratios within one
run are what counts.
"""
