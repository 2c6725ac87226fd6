-- Fetches, reconnects and restarts by service, as config/logs.yaml names their events.
SELECT c.service, m.meaning, sum(c.lines)::int8 AS lines
FROM log_counts AS c
JOIN log_meanings AS m ON m.event = c.event
WHERE c.day = %(day)s
GROUP BY c.service, m.meaning
ORDER BY c.service, m.meaning
