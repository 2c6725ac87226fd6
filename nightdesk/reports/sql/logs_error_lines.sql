-- Its lines of that day, newest first.
SELECT log_event_id, time, level, event, message, fields
FROM log_events
WHERE fingerprint = %(fingerprint)s
  AND time >= %(day)s::date::timestamptz AND time < (%(day)s::date + 1)::timestamptz
ORDER BY time DESC, log_event_id DESC
LIMIT %(most)s OFFSET %(before)s
