SELECT fingerprint, alert_id, started_s FROM alerts WHERE source = 'post' AND started_s > :after_s ORDER BY alert_id
