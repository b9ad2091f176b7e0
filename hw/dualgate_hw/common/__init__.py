"""Building blocks of both engines: shapes, rounding, MAC array, tables, activation rules."""
