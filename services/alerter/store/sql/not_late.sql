-- While nothing ran, nothing was late: what was due longest is still first, and as much later than the rest.
UPDATE deliveries SET due_s = due_s + :now_s - (
    SELECT max(due_s) FROM deliveries WHERE ended_s IS NULL AND due_s < :now_s
)
WHERE ended_s IS NULL AND due_s < :now_s
