SELECT scheduled_for, result
FROM runs
WHERE task = %(task)s AND scheduled_for >= %(since)s AND scheduled_for < %(before)s AND result IS NOT NULL
ORDER BY scheduled_for
