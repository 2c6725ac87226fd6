-- How far a day was gathered; never less than it was.
INSERT INTO daily_facts AS f (day, fact, subject, value)
VALUES (%(day)s, %(fact)s, '', %(value)s)
ON CONFLICT (day, fact, subject) DO UPDATE SET value = greatest(f.value, excluded.value)
