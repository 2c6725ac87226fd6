-- For how long each service was down, day by day.
SELECT subject AS service, sum(value ORDER BY day) AS down_s
FROM daily_facts
WHERE day >= %(from_day)s AND day < %(to_day)s AND fact = 'down_s'
GROUP BY subject
ORDER BY subject
