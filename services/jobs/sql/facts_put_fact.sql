INSERT INTO daily_facts (day, fact, subject, value)
VALUES (%(day)s, %(fact)s, %(subject)s, %(value)s)
ON CONFLICT (day, fact, subject) DO UPDATE SET value = excluded.value
