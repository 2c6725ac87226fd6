UPDATE deliveries SET due_s = due_s - :by_s, failing_s = CASE WHEN failing_s > 0 THEN failing_s - :by_s ELSE failing_s END
WHERE ended_s IS NULL
