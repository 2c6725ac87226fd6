-- How much of the day is measured already, seconds.
SELECT u.value - n.value
FROM daily_facts AS u
JOIN daily_facts AS n USING (day, subject)
WHERE u.day = %(day)s AND u.subject = '' AND u.fact = 'until_s' AND n.fact = 'unobserved_s'
