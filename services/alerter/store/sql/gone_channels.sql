-- What waits for a channel that there is no longer goes to another.
UPDATE deliveries SET state = 'failed', ended_s = :now_s
WHERE ended_s IS NULL AND channel NOT IN (SELECT value FROM json_each(:channels))
