UPDATE runs SET sent_at = %(now)s WHERE run_id = ANY (%(runs)s::int8[]) AND state = 'queued'
