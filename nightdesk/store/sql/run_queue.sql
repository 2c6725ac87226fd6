-- Let expected runs be sent, of each job only while none of its is under way: another scheduler may have been quicker.
WITH busy AS MATERIALIZED (
    SELECT DISTINCT job FROM runs WHERE state IN ('queued', 'running')
)
UPDATE runs SET state = 'queued', reason = '', queued_at = %(now)s, due_at = %(now)s
WHERE run_id = ANY (%(runs)s::int8[]) AND state = 'expected'
    AND NOT EXISTS (SELECT FROM busy WHERE busy.job = runs.job)
RETURNING run_id
