-- Deliveries that were under way when the process ended: nobody knows whether they arrived.
UPDATE deliveries SET state = 'queued' WHERE ended_s IS NULL AND state = 'sending' RETURNING channel
