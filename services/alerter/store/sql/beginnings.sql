-- When the latest episodes of each alert began.
SELECT fingerprint, started_s FROM alerts WHERE source <> 'post' AND seen_s > :after_s ORDER BY alert_id
