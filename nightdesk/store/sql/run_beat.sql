UPDATE runs SET beat_at = %(now)s, progress = coalesce(%(progress)s::jsonb, progress)
WHERE run_id = %(run_id)s AND state = 'running' AND attempts = %(attempt)s AND worker = %(worker)s
RETURNING run_id
