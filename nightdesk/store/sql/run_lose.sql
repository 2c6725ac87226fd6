-- Runs whose worker gave no sign of life since then: tried again, or failed. Whoever had them can no longer end them.
UPDATE runs
SET
    state = CASE WHEN attempts < attempts_allowed THEN 'queued' ELSE 'failed' END,
    error = %(error)s,
    reason = CASE WHEN attempts < attempts_allowed THEN %(error)s ELSE '' END,
    due_at = CASE WHEN attempts < attempts_allowed THEN one.due_at ELSE runs.due_at END,
    sent_at = NULL, progress = NULL, finished_at = CASE WHEN attempts < attempts_allowed THEN NULL ELSE %(now)s END
FROM unnest(%(runs)s::int8[], %(silent_since)s::timestamptz[], %(due_at)s::timestamptz[])
    AS one (run_id, silent_since, due_at)
WHERE runs.run_id = one.run_id AND runs.state = 'running' AND runs.beat_at < one.silent_since
RETURNING runs.run_id, runs.state
