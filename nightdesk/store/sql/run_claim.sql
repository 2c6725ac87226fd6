-- The claim: one worker gets the run, and a second delivery of it gets nothing.
UPDATE runs
SET
    state = 'running', attempts = attempts + 1, worker = %(worker)s, started_at = %(now)s, beat_at = %(now)s,
    finished_at = NULL, progress = NULL, result = NULL, error = NULL, log = NULL, reason = ''
WHERE run_id = %(run_id)s AND state = 'queued' AND due_at <= %(now)s
RETURNING run_id, job, task, scheduled_for, args, attempts, attempts_allowed, timeout_s, backoff_s
