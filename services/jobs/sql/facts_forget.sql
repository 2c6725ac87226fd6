-- What Prometheus measured of a day; how far the day was gathered is no measurement.
DELETE FROM daily_facts
WHERE day = %(day)s AND fact NOT IN ('alerts_until_s', 'told_s')
