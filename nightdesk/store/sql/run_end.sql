-- Runs that never began.
UPDATE runs SET state = one.state, reason = one.reason, finished_at = %(now)s
FROM unnest(%(runs)s::int8[], %(states)s::text[], %(reasons)s::text[]) AS one (run_id, state, reason)
WHERE runs.run_id = one.run_id AND runs.state = 'expected'
RETURNING runs.run_id
