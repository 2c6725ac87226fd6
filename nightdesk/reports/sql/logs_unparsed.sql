SELECT source, reason, lines, samples
FROM log_unparsed
WHERE day = %(day)s
ORDER BY source, lines DESC, reason
