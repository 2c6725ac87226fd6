UPDATE runs SET state = 'queued', reason = '', queued_at = %(now)s, due_at = %(now)s
WHERE run_id = %(run_id)s AND state = 'expected'
RETURNING run_id
