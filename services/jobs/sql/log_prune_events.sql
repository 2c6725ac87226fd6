DELETE FROM log_events
WHERE ctid = ANY (ARRAY(SELECT ctid FROM log_events WHERE time < %(before)s LIMIT %(most)s))
