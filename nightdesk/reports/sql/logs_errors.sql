SELECT day, fingerprint, service, level, event, template, sample, lines, first_at, last_at
FROM log_errors
WHERE day = %(day)s
ORDER BY fingerprint
