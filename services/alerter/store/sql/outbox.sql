-- What waits, by channel: how much, since when the most overdue is due, and since when the channel has been failing.
SELECT channel, count(*) AS deliveries, min(due_s) AS due_s, min(failing_s) AS failing_s
FROM deliveries WHERE ended_s IS NULL GROUP BY channel
