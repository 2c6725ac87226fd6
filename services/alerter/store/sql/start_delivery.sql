UPDATE deliveries SET state = 'sending', attempts = attempts + 1
WHERE delivery_id = :delivery_id AND state = 'queued'
RETURNING delivery_id
