-- While nothing ran, nothing was late.
UPDATE deliveries SET due_s = :now_s WHERE ended_s IS NULL AND due_s < :now_s
