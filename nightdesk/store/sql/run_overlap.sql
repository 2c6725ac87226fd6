UPDATE runs SET overlapped = true, reason = %(reason)s
WHERE run_id = %(run_id)s AND state = 'expected' AND NOT overlapped
RETURNING run_id
