"""How dates and numbers are written in Spanish: months by short names, which Spanish does not begin with a capital."""

DATE_FORMAT = "j b Y"
DATETIME_FORMAT = "j b Y, H:i"
TIME_FORMAT = "H:i"
MONTH_DAY_FORMAT = r"j \d\e F"
YEAR_MONTH_FORMAT = "b Y"
THOUSAND_SEPARATOR = "."
