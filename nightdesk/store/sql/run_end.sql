-- A run that never began.
UPDATE runs SET state = %(state)s, reason = %(reason)s, finished_at = %(now)s
WHERE run_id = %(run_id)s AND state = 'expected'
RETURNING run_id
