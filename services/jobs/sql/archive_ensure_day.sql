SELECT ensure_day(%(table)s, %(day)s)
