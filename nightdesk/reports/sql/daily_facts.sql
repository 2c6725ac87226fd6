SELECT fact, subject, value
FROM daily_facts
WHERE day = %(day)s
ORDER BY fact, subject
