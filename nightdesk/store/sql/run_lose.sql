-- A run whose worker gave no sign of life since then: tried again, or failed. Whoever had it can no longer end it.
UPDATE runs
SET
    state = CASE WHEN attempts < attempts_allowed THEN 'queued' ELSE 'failed' END,
    error = %(error)s,
    reason = CASE WHEN attempts < attempts_allowed THEN %(error)s ELSE '' END,
    due_at = CASE WHEN attempts < attempts_allowed THEN %(due_at)s ELSE due_at END,
    sent_at = NULL, progress = NULL, finished_at = CASE WHEN attempts < attempts_allowed THEN NULL ELSE %(now)s END
WHERE run_id = %(run_id)s AND state = 'running' AND beat_at < %(silent_since)s
RETURNING state
