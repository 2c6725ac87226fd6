-- The end of an attempt, by whoever still has it: succeeded, failed, or queued again; one that was cut short for no fault of
-- its own does not count.
UPDATE runs
SET
    state = %(state)s, result = %(result)s::jsonb, error = %(error)s, log = %(log)s,
    reason = CASE WHEN %(state)s = 'queued' THEN coalesce(%(error)s, '') ELSE '' END,
    attempts = attempts - %(refund)s, due_at = coalesce(%(due_at)s, due_at), sent_at = NULL, progress = NULL,
    finished_at = CASE WHEN %(state)s = 'queued' THEN NULL ELSE %(now)s::timestamptz END
WHERE run_id = %(run_id)s AND state = 'running' AND attempts = %(attempt)s AND worker = %(worker)s
RETURNING run_id
