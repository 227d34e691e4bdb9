"""How dates and numbers are written in French: months by short names, thousands apart by a narrow space."""

DATE_FORMAT = "j N Y"
DATETIME_FORMAT = "j N Y, H:i"
TIME_FORMAT = "H:i"
MONTH_DAY_FORMAT = "j F"
YEAR_MONTH_FORMAT = "N Y"
THOUSAND_SEPARATOR = "\u202f"
