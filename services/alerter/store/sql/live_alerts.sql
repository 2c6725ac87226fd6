-- What there is still something to say about, or what may still explain others.
SELECT * FROM alerts WHERE ended_s IS NULL OR is_end_told = 0 OR ended_s > :ended_after_s ORDER BY alert_id
