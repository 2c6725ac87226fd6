SELECT drop_day(%(table)s, %(day)s, %(rows)s)
