-- What waited for a channel that is left alone is not sent twice.
UPDATE deliveries SET
    is_stood_in = 1,
    ended_s = CASE WHEN failing_s = 0 AND state = 'queued' THEN :now_s ELSE ended_s END,
    state = CASE
        WHEN failing_s = 0 AND state = 'queued' AND attempts > 0 THEN 'failed'
        WHEN failing_s = 0 AND state = 'queued' THEN 'withdrawn'
        ELSE state
    END
WHERE delivery_id = :delivery_id
