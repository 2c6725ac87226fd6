-- One error on that day and the thirty before, newest first.
SELECT day, fingerprint, service, level, event, template, sample, lines, first_at, last_at
FROM log_errors
WHERE fingerprint = %(fingerprint)s AND day <= %(day)s AND day >= %(since)s
ORDER BY day DESC
