INSERT INTO attempts (delivery_id, at_s, outcome, reason, status, latency_s, detail)
VALUES (:delivery_id, :at_s, :outcome, :reason, :status, :latency_s, :detail)
