SELECT delivery_id, at_s, outcome, reason, status, latency_s, detail FROM attempts
WHERE delivery_id IN (SELECT value FROM json_each(:deliveries)) ORDER BY attempt_id
