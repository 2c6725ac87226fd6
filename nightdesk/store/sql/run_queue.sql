-- Let expected runs be sent, of each job only while none of its is under way: another scheduler may have been quicker.
UPDATE runs SET state = 'queued', reason = '', queued_at = %(now)s, due_at = %(now)s
WHERE run_id = ANY (%(runs)s::int8[]) AND state = 'expected'
    AND NOT EXISTS (SELECT FROM runs AS other WHERE other.job = runs.job AND other.state IN ('queued', 'running'))
RETURNING run_id
